"""The library's log records in the program's own logging: python own_logger.py AUDIO

Needs `pip install libvoiceflow`.
"""

import logging
import sys

import libvoiceflow


def main() -> int:
    """Logs what the library does; of ONNX Runtime, which says very much, only what is wrong."""
    if len(sys.argv) != 2:
        print("usage: own_logger.py AUDIO", file=sys.stderr)
        return 2
    logging.basicConfig(stream=sys.stdout, format="%(levelname)-7s %(name)s: %(message)s")
    logger = logging.getLogger("diarization")
    logger.setLevel(logging.DEBUG)
    # Each part of the library has a child of the logger.
    logger.getChild("onnxruntime").setLevel(logging.WARNING)
    libvoiceflow.log_to(logger)
    try:
        # Not available with a runtime for the CPU, about which the library warns.
        result = libvoiceflow.Diarizer(provider="tensorrt").process(sys.argv[1])
    except libvoiceflow.Error as error:
        logger.error("%s", error)
        return 1
    logger.info("%d speakers in %.1f s", len(result.speakers), result.duration)
    return 0


if __name__ == "__main__":
    sys.exit(main())
