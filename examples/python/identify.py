"""Names the speakers of a recording: python identify.py AUDIO NAME=AUDIO...

Enrolls each name by a file in which that speaker alone talks, 3 s or more, better 20 s. Needs
`pip install libvoiceflow`.
"""

import sys

import libvoiceflow


def main() -> int:
    """Prints the turns by name."""
    speakers = [argument.partition("=") for argument in sys.argv[2:]]
    if not speakers or any(not name or not file for name, _, file in speakers):
        print("usage: identify.py AUDIO NAME=AUDIO...", file=sys.stderr)
        return 2
    try:
        diarizer = libvoiceflow.Diarizer()
        gallery = libvoiceflow.Gallery(diarizer)
        for name, _, file in speakers:
            gallery.enroll(name, file)
        result = diarizer.process(sys.argv[1])
        identities = gallery.identify(result)
    except libvoiceflow.Error as error:
        print(f"identify.py: {error}", file=sys.stderr)
        return 1
    for speaker, identity in zip(result.speakers, identities, strict=True):
        print(f"{speaker.label} is {identity.name or 'a stranger'}, similarity {identity.score:.2f}")
    for segment in result:
        name = identities[segment.speaker_index].name or segment.speaker
        print(f"{segment.start:8.2f} {segment.end:8.2f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
