"""Who spoke when in a file: python diarize.py AUDIO [MODEL]

Needs `pip install libvoiceflow`.
"""

import sys

import libvoiceflow


def main() -> int:
    """Prints a line for each turn."""
    if len(sys.argv) not in (2, 3):
        print("usage: diarize.py AUDIO [MODEL]", file=sys.stderr)
        return 2
    try:
        diarizer = libvoiceflow.Diarizer(model_path=sys.argv[2] if sys.argv[2:] else None)
        result = diarizer.process(sys.argv[1])
    except libvoiceflow.Error as error:
        print(f"diarize.py: {error}", file=sys.stderr)
        return 1
    for segment in result:
        print(
            f"{segment.start:8.2f} {segment.end:8.2f}  {segment.speaker}  {segment.confidence:.2f}"
            f"{'  overlap' if segment.overlap else ''}"
        )
    for speaker in result.speakers:
        print(f"{speaker.label} speaks {speaker.speech_s:.1f} of {result.duration:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
