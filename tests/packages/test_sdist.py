"""The source distribution: all in it is a file of its own, and a wheel made of it has the
licences."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

from conftest import DIST, ROOT, THIRD_PARTIES, VERSION, plain, run

NAME = f"libvoiceflow-{VERSION}"
LICENCES = {"LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES.txt"}


def test_a_wheel_is_made_of_it(tmp_path: Path) -> None:
    with tarfile.open(DIST / f"{NAME}.tar.gz") as archive:
        assert [member.name for member in archive if not member.isfile()] == []
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / NAME
    assert {"Cargo.lock", "Cargo.toml", "src"} <= {path.name for path in (source / "rust").iterdir()}
    # What is compiled is of no matter here.
    for name in ("libvoiceflow.so", "voiceflow"):
        (tmp_path / name).write_bytes(Path("/bin/true").read_bytes())
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "made")
    run(*build, source, env={**plain(), "VOICEFLOW_BUILT": str(tmp_path)})
    [wheel] = (tmp_path / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name.rpartition("/")[2]: name for name in archive.namelist() if "/licenses/" in name}
        assert set(inside) == LICENCES
        notices = archive.read(inside["THIRD-PARTY-NOTICES.txt"]).decode()
    assert all(words in notices for words in THIRD_PARTIES)
    assert (source / "LICENSE-MIT").read_text() == (ROOT / "LICENSE-MIT").read_text()
