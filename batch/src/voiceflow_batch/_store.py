"""Files on disk, in S3 and in Google Cloud Storage, by their addresses.

An address is an absolute path, `s3://BUCKET/KEY` or `gs://BUCKET/KEY`. Credentials are those that
the environment, the files or the machine offer, as everywhere with either store.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pyarrow import fs

from ._errors import BatchError

SCHEMES = ("s3", "gs")
# A file that is being written, which readers of the folder pass over.
UNFINISHED = ".unfinished-"
# Seconds for which one request is tried again.
PATIENCE_S = 60


def split(address: str) -> tuple[str, str]:
    """The scheme, "" for a path on disk, and what follows it."""
    scheme, found, rest = address.partition("://")
    if not found:
        return "", address
    if scheme == "file":
        return "", rest
    if scheme not in SCHEMES:
        raise BatchError(f"{address}: expected a path, s3:// or gs://, got {scheme}://")
    if not rest.split("/")[0]:
        raise BatchError(f"{address}: expected {scheme}://BUCKET/NAME, got no bucket")
    return scheme, rest


def whole(address: str) -> str:
    """The address by which a place is known from everywhere: a path is absolute, and no slash is at
    its end."""
    scheme, rest = split(address)
    return f"{scheme}://{rest.rstrip('/')}" if scheme else os.path.abspath(rest)


def join(folder: str, name: str) -> str:
    """The address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


@lru_cache(maxsize=64)
def _store(scheme: str, bucket: str) -> Any:
    """The store with a bucket, one for each process."""
    if scheme == "gs":
        emulator = os.environ.get("STORAGE_EMULATOR_HOST")
        options: dict[str, Any] = {"retry_time_limit": timedelta(seconds=PATIENCE_S)}
        if emulator:
            url = urlsplit(emulator if "://" in emulator else f"http://{emulator}")
            options |= {"anonymous": True, "scheme": url.scheme, "endpoint_override": url.netloc}
        return fs.GcsFileSystem(**options)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and endpoint is None:
        region = fs.resolve_s3_region(bucket)
    # A part then is one request, and nothing is left behind where its worker dies.
    return fs.S3FileSystem(region=region, endpoint_override=endpoint, allow_delayed_open=True)


def _in_store(scheme: str, rest: str) -> Any:
    return _store(scheme, rest.split("/")[0])


def is_file(address: str) -> bool:
    """Whether there is a file, or an object, of this name."""
    scheme, rest = split(address)
    if not scheme:
        return os.path.isfile(rest)
    return bool(_in_store(scheme, rest).get_file_info(rest).type == fs.FileType.File)


def names(folder: str) -> list[str]:
    """The names of all files below a folder, in order; none where there is no folder."""
    scheme, rest = split(folder)
    if scheme:
        selector = fs.FileSelector(rest, allow_not_found=True, recursive=True)
        found = _in_store(scheme, rest).get_file_info(selector)
        return sorted(info.path[len(rest) + 1 :] for info in found if info.type == fs.FileType.File)
    within: list[str] = []
    for place, _, files in os.walk(rest, onerror=_raise):
        within += [os.path.relpath(os.path.join(place, name), rest) for name in files]
    return sorted(within)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def reading(address: str) -> Iterator[Any]:
    """A file, to be read at any place of it."""
    scheme, rest = split(address)
    if scheme:
        with _in_store(scheme, rest).open_input_file(rest) as stream:
            yield stream
    else:
        with open(rest, "rb") as file:
            yield file


def read(address: str) -> bytes:
    """All of a file."""
    with reading(address) as file:
        return bytes(file.read())


@contextmanager
def on_disk(address: str) -> Iterator[Path | IO[bytes]]:
    """A recording as the library reads it best: its path, or for an object a copy on disk that has
    no name and that a killed process leaves nothing of."""
    scheme, rest = split(address)
    if not scheme:
        yield Path(rest)
        return
    with tempfile.TemporaryFile() as copy:
        with _in_store(scheme, rest).open_input_stream(rest) as stream:
            while block := stream.read(1 << 20):
                copy.write(block)
        copy.seek(0)
        yield copy


def put(address: str, data: bytes) -> None:
    """Writes a file whole: readers see what was there before, or all of it."""
    scheme, rest = split(address)
    if scheme:
        with _in_store(scheme, rest).open_output_stream(rest) as stream:
            stream.write(data)
        return
    folder, name = os.path.split(rest)
    os.makedirs(folder, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{UNFINISHED}{name}-", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, 0o666 & ~_umask())
        os.replace(unfinished, rest)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # It can be asked for by setting it alone, which another thread could see.
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Umask")), 8)


def delete(address: str) -> None:
    """Removes a file."""
    scheme, rest = split(address)
    if scheme:
        _in_store(scheme, rest).delete_file(rest)
    else:
        os.unlink(rest)


def clear_unfinished(folder: str) -> None:
    """Removes what writers that were killed have left in a folder."""
    scheme, rest = split(folder)
    if not scheme:
        for left in Path(rest).glob(f"{UNFINISHED}*"):
            left.unlink(missing_ok=True)
