"""Training windows of recorded conversations, and the folder they share with simulated ones."""

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from published import make_ami, make_librispeech, make_voxconverse
from voiceflow_models.data import recorded
from voiceflow_models.data.corpora import ami, voxconverse
from voiceflow_models.data.shards import name_voices, shards, write_voices
from voiceflow_models.data.simulate import Voice
from voiceflow_models.data.sources import Speaker
from voiceflow_models.layout import FRAME_STEP, POWERSET, SAMPLE_RATE, WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES


def voice(name: str, label: int) -> Voice:
    """A voice without sound."""
    return Voice(Speaker(name, "test", np.zeros(0, np.int16), np.zeros(0, bool)), 1.0, label)


def talkers(classes: np.ndarray) -> set[int]:
    """Local speakers of the classes [frames]."""
    return {speaker for number in np.unique(classes) for speaker in POWERSET[number]}


def test_hopped_windows_stay_in_labelled_parts(tmp_path):
    cuts = recorded.cut_every(ami.load(make_ami(tmp_path)), 8.0)
    starts = [(cut.recording.name, cut.start / SAMPLE_RATE) for cut in cuts]
    assert starts == [("ES2002a", float(s)) for s in (0, 8, 16, 24, 32)] + [
        ("IS1000a", float(s)) for s in (0, 8, 16)
    ]


def test_random_windows_stay_in_labelled_parts_and_a_seed_fixes_them(tmp_path):
    recordings = ami.load(make_ami(tmp_path))
    cuts = recorded.cut_anywhere(np.random.default_rng(4), recordings, 60)
    assert cuts == recorded.cut_anywhere(np.random.default_rng(4), recordings, 60)
    ends = {"ES2002a": 42.0, "IS1000a": 32.0}
    assert {cut.recording.name for cut in cuts} == set(ends)
    assert all(0 <= cut.start / SAMPLE_RATE <= ends[cut.recording.name] - WINDOW_S for cut in cuts)


def test_labels_follow_the_turns(tmp_path):
    meeting = ami.load(make_ami(tmp_path))[0]
    activity, voices = recorded.Cut(meeting, 10 * SAMPLE_RATE).labels({"ami-FEE087": 7, "ami-MEE006": 9})
    # From 10 s: MEE006 12..18, FEE087 17..21; MEE006 talks more and comes first.
    assert voices.tolist() == [9, 7, -1]
    assert np.flatnonzero(activity[:, 0]).tolist() == list(range(50, 200))
    assert np.flatnonzero(activity[:, 1]).tolist() == list(range(175, 250))
    assert not activity[:, 2].any()


def test_labels_mark_the_sound(tmp_path):
    for recording in (
        ami.load(make_ami(tmp_path / "a"))[0],
        *voxconverse.load(make_voxconverse(tmp_path / "v")),
    ):
        shard = recorded.make_shard([recorded.Cut(recording, 0)], {}, None)
        level = np.abs(shard["audio"][0].reshape(WINDOW_FRAMES, FRAME_STEP)).max(axis=1)
        agreed = (level > 200) == (shard["exact"][0] > 0)
        assert agreed.mean() > 0.95, recording.name


def test_of_four_the_three_who_talk_most_are_kept(tmp_path):
    meeting = ami.load(make_ami(tmp_path))[1]
    labels = {f"ami-{name}": number for number, name in enumerate(("FEE087", "MEE006", "MEO020", "MIO005"))}
    activity, voices = recorded.Cut(meeting, 0).labels(labels)
    assert sorted(voices.tolist()) == [0, 1, 2]
    assert activity.any(axis=0).all()
    assert not activity[220:230].any(), "MIO005 is left out at 9 s"


def test_voices_without_a_class_have_none(tmp_path):
    (recording,) = voxconverse.load(make_voxconverse(tmp_path))
    shard = recorded.make_shard([recorded.Cut(recording, SAMPLE_RATE)], {"voxconverse-spk00": 3}, None)
    assert shard["voices"].tolist() == [[-1, -1, -1]]
    assert talkers(shard["exact"][0]) == {0, 1}


def test_recordings_shorter_than_a_window_are_refused(tmp_path):
    make_ami(tmp_path)
    for path in (tmp_path / "uems" / "train").iterdir():
        path.write_text(f"{path.stem} 1 0 9.5\n")
    with pytest.raises(ValueError, match="a labelled part of 10 s in one of 2, got none"):
        recorded.cut_every(ami.load(tmp_path), 10.0)


def test_a_folder_takes_more_voices_but_no_others(tmp_path):
    write_voices(tmp_path, [voice("a", 0), voice("b", 1)], None)
    write_voices(tmp_path, [voice("a", 0), voice("b", 1), voice("c", 2)], None)
    with np.load(tmp_path / "voices.npz") as stored:
        assert stored["names"].tolist() == ["a@1.0", "b@1.0", "c@1.0"]
    with pytest.raises(ValueError, match=r"voices\.npz: expected its 3 voices to come first among the 2"):
        name_voices(tmp_path, [voice("a", 0), voice("b", 1)])


def test_the_program_puts_both_kinds_into_one_folder(tmp_path):
    (tmp_path / "data" / "noise").mkdir(parents=True)
    hiss = np.random.default_rng(0).standard_normal(SAMPLE_RATE * 2) * 0.05
    soundfile.write(tmp_path / "data" / "noise" / "hiss.ogg", hiss, SAMPLE_RATE)
    make_ami(tmp_path / "ami"), make_voxconverse(tmp_path / "vox")
    make_librispeech(tmp_path / "libri")
    for chapter in (tmp_path / "libri" / "LibriSpeech" / "train-other-500" / "26").iterdir():
        for number in range(5):
            (chapter / f"26-198-{number:04}.flac").write_bytes((chapter / "26-198-0000.flac").read_bytes())
    command = [sys.executable, "-m", "voiceflow_models.data.windows", "--data", "data", "--out", "out"]
    command += ["--windows", "1", "--librispeech", "libri", "--ami", "ami", "--voxconverse", "vox"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, env=environment)
    found = shards(tmp_path / "out")
    assert [path.name for path in found] == ["shard-00000", "shard-recorded-00000"]
    with np.load(tmp_path / "out" / "voices.npz") as stored:
        names = stored["names"].tolist()
    assert names[:3] == ["ls-19@1.0", "ls-19@0.9", "ls-19@1.1"]
    assert names[9:] == ["ami-FEE087@1.0", "ami-MEE006@1.0", "ami-MEO020@1.0"]
    simulated, recorded = ({path.stem: np.load(path) for path in shard.iterdir()} for shard in found)
    assert {name: (a.dtype, a.shape[1:]) for name, a in simulated.items()} == {
        name: (a.dtype, a.shape[1:]) for name, a in recorded.items()
    }
    assert recorded["audio"].shape == (4 + 3 + 1, WINDOW_SAMPLES)
    assert set(np.unique(recorded["voices"])) == {-1, 9, 10, 11}
    assert simulated["voices"].max() < 9


def test_the_data_side_needs_no_pytorch():
    code = (
        "import pkgutil, sys, importlib, voiceflow_models.data as data\n"
        "names = [found.name for found in pkgutil.walk_packages(data.__path__, data.__name__ + '.')]\n"
        "assert len(names) > 10\n"
        "for name in names: importlib.import_module(name)\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
