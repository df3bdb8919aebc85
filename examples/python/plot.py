"""The timeline of a recording as a picture: python plot.py AUDIO IMAGE

Needs `pip install libvoiceflow matplotlib`. In a notebook a result shows itself, see
timeline.ipynb.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import libvoiceflow
import matplotlib.pyplot as plt


def main() -> int:
    """Writes the image, in the format of its name."""
    if len(sys.argv) != 3:
        print("usage: plot.py AUDIO IMAGE", file=sys.stderr)
        return 2
    recording, image = sys.argv[1:]
    try:
        result = libvoiceflow.Diarizer().process(recording)
    except libvoiceflow.Error as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 1
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.4 * max(1, len(result.speakers))))
    result.plot(axes)
    figure.tight_layout()
    figure.savefig(image, dpi=110)
    print(f"{image}: {len(result.speakers)} speakers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
