"""Random annotations and their scores by pyannote.metrics, for the checks of `voiceflow score`.

An annotation is a list of [start, end, speaker]. A case is a dict with reference, hypothesis, uem
(a list of [start, end] or None), collar and skip_overlap.
"""

import random
import warnings

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

# Approximating the UEM by the extent of both annotations is what is compared.
warnings.filterwarnings("ignore", message="'uem' was approximated")


def random_turns(rng, speakers, length, step, prefix):
    """Up to 25 turns; times on a grid of `step` seconds, so that boundaries and durations often
    coincide."""
    turns = []
    for _ in range(rng.randint(0, 25)):
        start = rng.randrange(int(length / step)) * step
        duration = rng.randint(0, int(6 / step)) * step
        turns.append([round(start, 3), round(start + duration, 3), f"{prefix}{rng.randrange(speakers)}"])
    return turns


def disturbed(rng, turns):
    """The turns with moved boundaries, some lost, and some given to somebody else."""
    names = sorted({turn[2] for turn in turns})
    result = []
    for start, end, speaker in turns:
        if rng.random() < 0.15:
            continue
        start = round(max(0.0, start + rng.choice([0.0, rng.uniform(-0.5, 0.5)])), 3)
        end = round(max(start, end + rng.choice([0.0, rng.uniform(-0.5, 0.5)])), 3)
        who = rng.choice(names) if rng.random() < 0.15 else speaker
        result.append([start, end, "hyp" + who[3:]])
    return result


def random_case(rng):
    step = rng.choice([0.001, 0.016, 0.1, 0.5, 1.0])
    length = rng.choice([5, 20, 60])
    speakers = rng.choice([1, 2, 3, 5, 14, 30])
    reference = random_turns(rng, speakers, length, step, "ref")
    if rng.random() < 0.5:
        hypothesis = disturbed(rng, reference)
    else:
        hypothesis = random_turns(rng, rng.choice([1, 2, 3, 5, 14]), length, step, "hyp")
    if rng.random() < 0.1 and reference:
        reference.append(list(rng.choice(reference)))
    uem = None
    if rng.random() < 0.4:
        uem = []
        for _ in range(rng.randint(1, 3)):
            start = round(rng.uniform(0, length), 3)
            uem.append([start, round(start + rng.uniform(0.01, length), 3)])
    return {
        "reference": reference,
        "hypothesis": hypothesis,
        "uem": uem,
        "collar": rng.choice([0.0, 0.0, 0.25, 0.5, 1.0, 0.1]),
        "skip_overlap": rng.random() < 0.4,
    }


def cases(seed, count):
    rng = random.Random(seed)
    return [random_case(rng) for _ in range(count)]


def annotation(turns):
    result = Annotation()
    for track, (start, end, speaker) in enumerate(turns):
        result[Segment(start, end), track] = speaker
    return result


class Scorer:
    """Scores recordings under one set of options, and all of them together."""

    def __init__(self, collar, skip_overlap):
        self.der = DiarizationErrorRate(collar=collar, skip_overlap=skip_overlap)
        self.jer = JaccardErrorRate(collar=collar, skip_overlap=skip_overlap)

    def add(self, reference, hypothesis, uem):
        reference, hypothesis = annotation(reference), annotation(hypothesis)
        uem = None if uem is None else Timeline([Segment(*stretch) for stretch in uem])
        der = self.der(reference, hypothesis, uem=uem, detailed=True)
        jer = self.jer(reference, hypothesis, uem=uem, detailed=True)
        return figures(der, der["diarization error rate"], jer, jer["jaccard error rate"])

    def overall(self):
        return figures(self.der[:], abs(self.der), self.jer[:], abs(self.jer))


def figures(der, der_rate, jer, jer_rate):
    return {
        "reference_s": der["total"],
        "correct_s": der["correct"],
        "missed_s": der["missed detection"],
        "false_alarm_s": der["false alarm"],
        "confusion_s": der["confusion"],
        "reference_speakers": int(jer["speaker count"]),
        "jaccard_error": jer["speaker error"],
        "der": der_rate,
        "jer": jer_rate,
    }
