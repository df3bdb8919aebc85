"""Ends a call when its time is over: python deadline.py AUDIO SECONDS

By the option `deadline_ms`, which holds for each call, and by a `Cancel` that any thread may set. Needs
`pip install voiceflow[cpu]`.
"""

import sys
import threading

import voiceflow


def by_option(file: str, seconds: float) -> None:
    """Lets the library watch the clock."""
    with voiceflow.Diarizer(deadline_ms=round(seconds * 1000)) as diarizer:
        try:
            print(f"by option: {diarizer.process(file)}")
        except voiceflow.DeadlineError as error:
            print(f"by option: {error}")


def by_cancel(file: str, seconds: float) -> None:
    """Watches the clock oneself."""
    with voiceflow.Diarizer() as diarizer:
        cancel = voiceflow.Cancel()
        timer = threading.Timer(seconds, cancel.set)
        timer.start()
        try:
            print(f"by cancel: {diarizer.process(file, cancel=cancel)}")
        except voiceflow.CancelledError as error:
            print(f"by cancel: {error}")
        finally:
            timer.cancel()


def main() -> int:
    """Tries both."""
    if len(sys.argv) != 3:
        print("usage: deadline.py AUDIO SECONDS", file=sys.stderr)
        return 2
    try:
        by_option(sys.argv[1], float(sys.argv[2]))
        by_cancel(sys.argv[1], float(sys.argv[2]))
    except (voiceflow.Error, ValueError) as error:
        print(f"deadline.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
