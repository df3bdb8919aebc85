"""Which recordings a job is about."""

from __future__ import annotations

from dataclasses import dataclass

from . import _store
from ._errors import BatchError

# Kinds of files with audio that the library reads.
KINDS = frozenset(
    (
        *(".3gp", ".aac", ".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".gsm", ".m4a", ".mka", ".mkv"),
        *(".mov", ".mp2", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".snd", ".ts", ".w64", ".wav", ".webm"),
    )
)


@dataclass(frozen=True)
class Recordings:
    """What a job is about."""

    addresses: list[str]
    """In order, each once."""
    others: int
    """Files of other kinds that were passed over."""


def find(source: str) -> Recordings:
    """The recordings below a folder, one recording, or those that a text names, one a line."""
    place = _store.whole(source)
    if _store.is_file(place):
        if place.lower().endswith(".txt"):
            return _listed(place)
        return Recordings([_storable(place)], 0)
    found = _store.names(place)
    known = [name for name in found if _kind(name) in KINDS]
    if not known:
        kinds = ", ".join(sorted(KINDS))
        other = f"{len(found)} files of other kinds" if found else "no file"
        raise BatchError(f"{place}: expected recordings ({kinds}), found {other}")
    addresses = [_storable(_store.join(place, name)) for name in known]
    return Recordings(addresses, len(found) - len(known))


def _kind(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"


def _listed(text: str) -> Recordings:
    try:
        lines = _store.read(text).decode().splitlines()
    except UnicodeDecodeError as error:
        raise BatchError(f"{text}: expected addresses of recordings in UTF-8: {error}") from None
    addresses = sorted({_store.whole(line.strip()) for line in lines if line.strip()})
    if not addresses:
        raise BatchError(f"{text}: expected an address of a recording on each line, got none")
    return Recordings(addresses, 0)


def _storable(address: str) -> str:
    """The address, as far as a table can have it."""
    try:
        address.encode()
    except UnicodeEncodeError:
        raise BatchError(f"{address!r}: expected a name in UTF-8; rename the file") from None
    return address
