"""`python -m libvoiceflow meeting.flac`: who spoke when in recordings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import Diarization, Diarizer, Error, version

_FAILED, _INTERRUPTED = 1, 130


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m libvoiceflow",
        description="Who spoke when in recordings. Ends with 1 where a file failed, with 130 after Ctrl-C.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="WAV, FLAC, MP3, AAC, Opus, Vorbis and others"
    )
    parser.add_argument(
        "--format",
        choices=("text", "rttm", "json", "srt", "vtt"),
        default="text",
        help="default: text; json: a line each",
    )
    parser.add_argument("--num-speakers", type=int, metavar="N", help="exact number of speakers")
    parser.add_argument("--bundle", metavar="NAME", help="accurate, fast-cnn, or a folder with models")
    parser.add_argument("--version", action="version", version=f"voiceflow {version()}")
    return parser.parse_args(given)


def _text(result: Diarization, name: str, form: str) -> str:
    if form == "rttm":
        return result.to_rttm(name)
    if form == "json":
        return json.dumps(json.loads(result.to_json(name)), ensure_ascii=False) + "\n"
    if form == "srt":
        return result.to_srt()
    if form == "vtt":
        return result.to_vtt()
    return "".join(f"{segment.start:8.2f} {segment.end:8.2f}  {segment.speaker}\n" for segment in result)


def main(given: Sequence[str] | None = None) -> int:
    """Diarizes the files that the arguments name; gives the exit code."""
    arguments = _arguments(given)
    ended = 0
    try:
        diarizer = Diarizer(num_speakers=arguments.num_speakers, bundle=arguments.bundle)
        for file in arguments.files:
            try:
                result = diarizer.process(file)
            except Error as error:
                print(f"voiceflow: {error}", file=sys.stderr)
                ended = _FAILED
                continue
            if arguments.format == "text" and len(arguments.files) > 1:
                print(f"{file}:")
            sys.stdout.write(_text(result, Path(file).stem, arguments.format))
            sys.stdout.flush()
    except Error as error:
        print(f"voiceflow: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return ended


if __name__ == "__main__":
    sys.exit(main())
