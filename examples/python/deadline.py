"""Ends a call when its time is over: python deadline.py AUDIO SECONDS

By `deadline_ms`, and by a `Cancel` that any thread may set. Needs `pip install libvoiceflow`.
"""

import sys
import threading

import libvoiceflow


def by_deadline(diarizer: libvoiceflow.Diarizer, file: str, seconds: float) -> None:
    """Lets the library watch the clock."""
    try:
        print(f"by deadline: {diarizer.process(file, deadline_ms=round(seconds * 1000))}")
    except libvoiceflow.DeadlineError as error:
        print(f"by deadline: {error}")


def by_cancel(diarizer: libvoiceflow.Diarizer, file: str, seconds: float) -> None:
    """Watches the clock oneself."""
    cancel = libvoiceflow.Cancel()
    timer = threading.Timer(seconds, cancel.set)
    timer.start()
    try:
        print(f"by cancel: {diarizer.process(file, cancel=cancel)}")
    except libvoiceflow.CancelledError as error:
        print(f"by cancel: {error}")
    finally:
        timer.cancel()


def main() -> int:
    """Tries both."""
    if len(sys.argv) != 3:
        print("usage: deadline.py AUDIO SECONDS", file=sys.stderr)
        return 2
    try:
        file, seconds = sys.argv[1], float(sys.argv[2])
        with libvoiceflow.Diarizer() as diarizer:
            by_deadline(diarizer, file, seconds)
            by_cancel(diarizer, file, seconds)
    except (libvoiceflow.Error, ValueError) as error:
        print(f"deadline.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
