"""The notices of third parties name all that is linked into what we ship."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import notices  # noqa: E402


def text_of(package: str) -> str:
    return (notices.FOLDER / f"{package}.txt").read_text()


def test_each_names_what_cargo_links() -> None:
    assert notices.check() == []


def test_a_crate_that_is_missing_is_found_and_so_is_one_that_is_gone() -> None:
    text = text_of("libvoiceflow-cli")
    expected = notices.linked("libvoiceflow-cli", notices.TARGETS[0])
    [entry] = re.findall(r"^symphonia-core \S+: .*\n", text, flags=re.M)
    name = entry.split(":")[0]
    assert notices.faults(text.replace(entry, ""), expected) == [f"{name}: linked, but not in the notice"]
    gone = text.replace(name, "symphonia-core 0.0.1")
    assert f"{name}: linked, but not in the notice" in notices.faults(gone, expected)
    assert "symphonia-core 0.0.1: in the notice, but not in Cargo.lock" in notices.faults(gone, expected)


@pytest.mark.parametrize("package", notices.SHIPPED)
def test_texts_and_sources_are_there(package: str) -> None:
    text = text_of(package)
    # Of symphonia, which asks for it, the source; of the others too.
    [version] = re.findall(r"^symphonia (\S+): MPL-2.0$", text, flags=re.M)
    assert f"    https://static.crates.io/crates/symphonia/{version}/download\n" in text
    for words in (
        "Mozilla Public License Version 2.0\n==================================",
        "Permission is hereby granted, free of charge, to any person obtaining a copy",
        "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
        # libopus, whose text lies below its crate.
        "Copyright 2001-2023 Xiph.Org, Skype Limited, Octasic,",
    ):
        assert words in text, words
    # Each crate of the list has a text.
    listed = {f"{name} {version}" for name, version in notices.LISTED.findall(text)}
    heads = re.findall(rf"{notices.RULE}\n(.*?)\n{notices.RULE}\n", text, flags=re.S)
    having = {name for head in heads for name in re.findall(r"[\w-]+ \d[\w.+-]*", " ".join(head.split()))}
    assert listed - having == set()
    assert str(ROOT) not in text and "/registry/src/" not in text
