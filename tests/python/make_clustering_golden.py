"""Writes tests/golden/clustering.json: what pyannote.audio makes of random voices, windows and
class scores.

Run it with pyannote.audio 4 after a change of the cases: python make_clustering_golden.py
"""

import io
import json
import tempfile
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from pyannote.audio import Inference
from pyannote.audio.core.plda import PLDA
from pyannote.audio.pipelines.clustering import AgglomerativeClustering, VBxClustering
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.audio.utils.powerset import Powerset
from pyannote.audio.utils.vbx import vbx_setup
from pyannote.core import SlidingWindow, SlidingWindowFeature
from scipy.cluster.hierarchy import linkage

DIMENSION = 16
PROJECTED = 8
FRAMES = 20
LOCALS = 3
STEP_S = 0.1


def rounded(values, digits=6):
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()


def windows_of(data, hop=FRAMES):
    """Frames of STEP_S seconds as a feature of pyannote, windows `hop` frames apart."""
    window = SlidingWindow(start=0.0, duration=FRAMES * STEP_S, step=hop * STEP_S)
    return SlidingWindowFeature(np.array(data, dtype=np.float32), window)


def random_activity(random, talkers):
    """Activity [FRAMES, LOCALS] of 0 and 1 in which `talkers` local speakers talk one after
    another, now and then at once."""
    activity = np.zeros((FRAMES, LOCALS))
    borders = np.sort(random.choice(np.arange(1, FRAMES), talkers - 1, replace=False))
    for local, (start, end) in enumerate(zip([0, *borders], [*borders, FRAMES], strict=True)):
        activity[max(0, start - random.integers(3)) : end, local] = 1
    return activity[:, random.permutation(LOCALS)]


def random_voices(seed, windows, speakers, noise, missing=0.0):
    """Windows in which some of the speakers talk. Voices are in thousandths, of any length; local
    speakers who are silent, and a share `missing` of the others, have none."""
    random = np.random.default_rng(seed)
    means = random.normal(size=(speakers, DIMENSION))
    means *= 4 / np.linalg.norm(means, axis=1, keepdims=True)
    activity, embeddings = [], []
    for _ in range(windows):
        own = random_activity(random, random.integers(1, LOCALS + 1))
        voices = means[random.permutation(speakers)[np.arange(LOCALS) % speakers]]
        voices = voices + noise * random.normal(size=voices.shape)
        voices = np.round(voices * random.uniform(0.5, 2.0, (LOCALS, 1)) * 1000)
        voices[(own.sum(axis=0) == 0) | (random.random(LOCALS) < missing)] = np.nan
        activity.append(own)
        embeddings.append(voices)
    return np.array(activity), np.array(embeddings)


def as_json(activity, embeddings):
    return [
        [
            {
                "activity": "".join(str(int(frame)) for frame in activity[window, :, local]),
                "voice": None if np.isnan(voice).any() else [int(value) for value in voice],
            }
            for local, voice in enumerate(embeddings[window])
        ]
        for window in range(len(activity))
    ]


def random_plda(folder, seed=5):
    random = np.random.default_rng(seed)
    arrays = {
        "mean1": 0.1 * random.normal(size=DIMENSION),
        "mean2": 0.1 * random.normal(size=PROJECTED),
        "lda": np.linalg.qr(random.normal(size=(DIMENSION, PROJECTED)))[0],
        "mu": 0.1 * random.normal(size=PROJECTED),
        "tr": random.normal(size=(PROJECTED, PROJECTED)) + 2 * np.eye(PROJECTED),
        "psi": random.uniform(0.5, 12.0, PROJECTED),
    }
    arrays = {name: np.round(array, 6) for name, array in arrays.items()}
    files = folder / "xvec_transform.npz", folder / "plda.npz"
    np.savez(files[0], **{name: arrays[name] for name in ("mean1", "mean2", "lda")})
    np.savez(files[1], **{name: arrays[name] for name in ("mu", "tr", "psi")})
    return arrays, files


def plda_case(arrays, files, seed=6):
    embeddings = np.round(np.random.default_rng(seed).normal(size=(5, DIMENSION)), 3)
    xvec, plda, phi = vbx_setup(*files)
    features = plda(xvec(embeddings))
    # The eigenvectors that SciPy finds are the rows of `tr` by descending `psi`, of either sign.
    order = np.argsort(-arrays["psi"])
    assert np.allclose(np.abs(features), np.abs((xvec(embeddings) - arrays["mu"]) @ arrays["tr"][order].T))
    assert np.allclose(phi, arrays["psi"][order])
    return {
        "arrays": {name: array.tolist() for name, array in arrays.items()},
        "embeddings": embeddings.tolist(),
        "magnitudes": rounded(np.abs(features)),
        "phi": rounded(phi),
    }


def clustered(clustering, activity, embeddings, low, high):
    """Labels and centroids, or nothing where fewer speakers than asked for were found."""
    with redirect_stdout(io.StringIO()) as said:
        labels, _, centroids = clustering(
            embeddings=embeddings.astype(np.float32) / 1000,
            segmentations=windows_of(activity),
            num_clusters=low if low == high else None,
            min_clusters=low,
            max_clusters=high,
        )
    if "Found only" in said.getvalue():
        return None
    labels = np.where(activity.sum(axis=1) > 0, labels, -2)
    return {"labels": labels.tolist(), "centroids": rounded(centroids, 4)}


def inside_inversion(activity, embeddings):
    """A threshold over the last join that is nearer than one below it, and under that one."""
    clean = activity * (activity.sum(axis=2, keepdims=True) == 1)
    chosen = (clean.sum(axis=1) >= 0.2 * FRAMES) & ~np.isnan(embeddings).any(axis=2)
    rows = embeddings[chosen]
    joins = linkage(rows / np.linalg.norm(rows, axis=1, keepdims=True), "centroid")
    highest = joins[:, 2].copy()
    for join, (one, two) in enumerate(joins[:, :2].astype(int)):
        below = [highest[node - len(rows)] for node in (one, two) if node >= len(rows)]
        highest[join] = max([highest[join], *below])
    inverted = np.flatnonzero(highest > joins[:, 2] + 1e-4)
    return float((joins[inverted[-1], 2] + highest[inverted[-1]]) / 2) if len(inverted) else None


def clustering_cases(plda, data):
    cases = []

    def add(index, clustering, setting, low, high):
        low, high = low or 1, high or np.inf
        result = clustered(clustering, *data[index], low, high)
        if result:
            limit = None if high == np.inf else high
            cases.append({"data": index, **setting, "min": low, "max": limit, **result})

    ranges = [(None, None), (2, 2), (5, 5), (3, 9), (None, 2), (None, 1)]
    for index in range(len(data)):
        settings = [(0.7045654963945799, 12), (0.5, 3), (0.9, 1), (1.2, 5)]
        if inverted := inside_inversion(*data[index]):
            settings.append((inverted, 1))
        for threshold, least in settings:
            for number, (low, high) in enumerate(ranges):
                constrained = (index + number) % 2 == 0
                clustering = AgglomerativeClustering("cosine", constrained_assignment=constrained)
                clustering.instantiate(
                    {"method": "centroid", "threshold": threshold, "min_cluster_size": least}
                )
                setting = {"method": "centroid", "threshold": threshold, "min_cluster_size": least}
                add(index, clustering, {**setting, "constrained": constrained}, low, high)
        for threshold, fa, fb in [(0.6, 0.07, 0.8), (0.6, 0.3, 4.0), (0.5, 0.5, 12.0), (0.8, 0.02, 0.5)]:
            clustering = VBxClustering(plda, metric="cosine")
            clustering.instantiate({"threshold": threshold, "Fa": fa, "Fb": fb})
            setting = {"method": "vbx", "threshold": threshold, "fa": fa, "fb": fb, "constrained": True}
            add(index, clustering, setting, None, None)
    # Voices so far apart that k-means has one answer, with settings that find another number.
    clustering = VBxClustering(plda, metric="cosine")
    clustering.instantiate({"threshold": 0.6, "Fa": 0.07, "Fb": 0.8})
    setting = {"method": "vbx", "threshold": 0.6, "fa": 0.07, "fb": 0.8, "constrained": True}
    assert len(clustered(clustering, *data[1], 1, np.inf)["centroids"]) == 3
    add(1, clustering, setting, 4, 4)
    add(1, clustering, setting, 4, None)
    return cases


def choice(active, count):
    """Who talks in a frame: `#n` where n of them are, by equal activity, for the sort to choose."""
    order = np.argsort(-active, kind="stable")
    count = min(count, int((active > 0).sum()))
    if 0 < count < len(active) and active[order[count - 1]] - active[order[count]] < 1e-5:
        return f"#{count}"
    return "".join("1" if speaker in order[:count] else "0" for speaker in range(len(active)))


def reconstruction_case(seed, windows, hop, speakers, hard):
    random = np.random.default_rng(seed)
    activity = np.array([random_activity(random, random.integers(1, LOCALS + 1)) for _ in range(windows)])
    if not hard:
        activity = np.round(np.clip(activity * 0.9 + random.uniform(-0.4, 0.6, activity.shape), 0, 1), 2)
    talks = (activity >= 0.5).astype(np.float32)
    labels = random.integers(0, speakers, (windows, LOCALS))
    labels[0, 0] = speakers - 1
    labels[talks.sum(axis=1) == 0] = -2
    frames = SlidingWindow(start=0.0, duration=STEP_S, step=STEP_S)
    count = SpeakerDiarization.speaker_count(windows_of(talks, hop), frames, warm_up=(0.0, 0.0))
    seen = {}

    def keep(clustered_windows, count):
        seen["sums"] = Inference.aggregate(
            windows_of(clustered_windows.data.copy(), hop), frames, missing=0.0, skip_average=True
        ).data
        return SpeakerDiarization.to_diarization(clustered_windows, count)

    pipeline = SimpleNamespace(to_diarization=keep)
    found = SpeakerDiarization.reconstruct(pipeline, windows_of(activity, hop), labels, count).data
    expected = []
    for frame, talking in enumerate(found):
        sums, number = seen["sums"][frame], int(count.data[frame, 0])
        who = choice(sums, number)
        silent = sums <= 0
        if not who.startswith("#"):
            chosen = "".join(str(int(on)) for on in np.where(silent, 0, talking[: len(sums)]))
            assert chosen == who, (seed, frame, sums, talking, number)
        expected.append(who)
    return {
        "hop": hop,
        "labels": labels.tolist(),
        "activity": np.round(activity * 100).astype(int).transpose(0, 2, 1).tolist(),
        "frames": expected,
    }


def powerset_case(seed, speakers, together):
    powerset = Powerset(speakers, together)
    logits = torch.randn(6, powerset.num_powerset_classes, generator=torch.manual_seed(seed)) * 3
    logits = torch.round(logits, decimals=3)
    return {
        "speakers": speakers,
        "together": together,
        "sets": [sorted(members) for members in powerset.powerset_classes],
        "scores": rounded(logits),
        "hard": powerset(logits).tolist(),
        "soft": rounded(powerset(torch.log_softmax(logits, dim=-1), soft=True)),
    }


def main():
    data = [
        random_voices(1, windows=4, speakers=2, noise=0.3),
        random_voices(2, windows=30, speakers=4, noise=0.15),
        random_voices(3, windows=40, speakers=5, noise=0.5, missing=0.05),
        random_voices(4, windows=50, speakers=3, noise=0.9),
    ]
    assert sum(inside_inversion(*one) is not None for one in data) >= 2
    with tempfile.TemporaryDirectory() as folder:
        arrays, files = random_plda(Path(folder))
        plda = PLDA(*files, lda_dimension=PROJECTED)
        golden = {
            "pyannote.audio": version("pyannote.audio"),
            "plda": plda_case(arrays, files),
            "data": [as_json(*one) for one in data],
            "clustering": clustering_cases(plda, data),
        }
    golden["reconstruction"] = [
        reconstruction_case(seed, windows, hop, speakers, hard)
        for seed, (windows, hop, speakers, hard) in enumerate(
            [(1, 20, 2, True), (8, 2, 3, True), (12, 5, 4, True), (8, 2, 3, False), (12, 7, 5, False)]
        )
    ]
    golden["powerset"] = [powerset_case(*case) for case in [(1, 3, 2), (2, 2, 2), (3, 4, 3), (4, 4, 1)]]
    path = Path(__file__).parents[1] / "golden" / "clustering.json"
    lists = {name: value for name, value in golden.items() if isinstance(value, list)}
    text = json.dumps({name: value for name, value in golden.items() if name not in lists})[:-1]
    for name, value in lists.items():
        rows = ",\n".join(json.dumps(one, separators=(",", ":")) for one in value)
        text += f',\n"{name}": [\n{rows}\n]'
    path.write_text(text + "}\n")
    kinds = [case["method"] for case in golden["clustering"]]
    print(f"{len(kinds)} cases ({kinds.count('vbx')} vbx), {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
