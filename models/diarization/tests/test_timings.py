"""Simulated meetings by the turns of real ones: what is planned, who says it, in which rooms."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from voiceflow_models.data import rooms
from voiceflow_models.data.corpora.reference import Turn
from voiceflow_models.data.simulate import REAL_ROOMS, Simulator, make_voices
from voiceflow_models.data.sources import Speaker, held_out_crowd, split
from voiceflow_models.data.timings import (
    Meeting,
    Readings,
    load_meetings,
    pieces,
    plan_stretch,
    split_meetings,
)
from voiceflow_models.data.windows import make_shard
from voiceflow_models.layout import FRAME_STEP, POWERSET, SAMPLE_RATE, WINDOW_FRAMES, WINDOW_SAMPLES


def meeting(*turns: tuple[float, float, str]) -> Meeting:
    return Meeting("m", "m", [Turn(*turn) for turn in turns])


def talker(name: str, seconds: int, corpus: str = "test") -> Speaker:
    """Speech that never ceases: second k changes its sign every k + 1 hundredths of it."""
    second = np.arange(SAMPLE_RATE) * 100 // SAMPLE_RATE
    audio = np.concatenate([np.where(second // (k + 1) % 2, 900, -900) for k in range(seconds)]).astype(
        np.int16
    )
    speech = np.ones(seconds * 100, bool)
    return Speaker(name, corpus, audio, speech)


def write_turns(folder: Path, corpus: str, name: str) -> None:
    (folder / corpus).mkdir(parents=True, exist_ok=True)
    (folder / corpus / f"{name}.rttm").write_text(f"SPEAKER {name} 1 0.5 2.0 <NA> <NA> A <NA> <NA>\n")


def test_series_are_held_out_as_a_whole(tmp_path):
    for series in range(7):
        for part in "ab":
            write_turns(tmp_path, "ami", f"ES200{series}{part}")
    write_turns(tmp_path, "alimeeting", "R0008_M0050")
    train, held_out = split_meetings(load_meetings(tmp_path))
    assert {m.name for m in held_out} == {"ES2000a", "ES2000b", "ES2006a", "ES2006b"}
    assert len(train) == 11 and not {m.series for m in train} & {m.series for m in held_out}


def test_a_folder_without_meetings_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="ami/ or alimeeting/"):
        load_meetings(tmp_path)


def test_pauses_between_words_are_closed_and_longer_ones_stay():
    cough = Turn(4, 4.05, "B")
    talk = pieces([Turn(0, 1, "A"), Turn(0.5, 0.9, "B"), Turn(1.2, 2, "A"), Turn(2.5, 3, "A"), cough])
    assert talk == [Turn(0, 2, "A"), Turn(0.5, 0.9, "B"), Turn(2.5, 3, "A")]


def test_a_stretch_keeps_the_times_of_the_meeting_and_those_who_talk_most():
    real = meeting((0.0, 4.0, "A"), (3.0, 5.0, "B"), (5.5, 5.7, "C"), (6.0, 10.0, "B"))
    places, count = plan_stretch(np.random.default_rng(0), real, 10.0, 2)
    seconds = [(p.voice, p.start / SAMPLE_RATE, (p.start + p.length) / SAMPLE_RATE) for p in places]
    assert count == 2
    assert seconds == [(0, 0.0, 4.0), (1, 3.0, 5.0), (1, 6.0, 10.0)]


def test_a_stretch_lies_with_most_speech():
    long = meeting(*((second, second + 0.8, "AB"[int(second) % 2]) for second in np.arange(1000.0, 1100.0)))
    for seed in range(5):
        places, count = plan_stretch(np.random.default_rng(seed), long, 60.0, 4)
        assert count == 2
        assert all(p.start >= 0 and p.start + p.length <= 60 * SAMPLE_RATE for p in places)
        assert sum(p.length for p in places) > 0.5 * 60 * SAMPLE_RATE


def test_nothing_is_said_twice_before_all_was_said():
    voice, random = make_voices([talker("a", 10)])[0], np.random.default_rng(0)
    readings = Readings()
    said = [readings.cut(random, voice, SAMPLE_RATE)[0] for _ in range(10)]
    changes = [int(np.count_nonzero(np.diff(np.sign(audio[:SAMPLE_RATE])))) for audio in said]
    # The ninth and last whole second that is left makes way for the first.
    assert len(set(changes[:4])) == 4
    assert changes[9] == changes[0]


def test_a_meeting_is_labelled_by_the_turns_with_short_pauses_closed():
    voices = make_voices([talker("a", 30), talker("b", 30)])
    simulator = Simulator(voices, rooms.make_bank(1, 2, seed=1), Silence(), REAL_ROOMS)
    real = meeting((1.0, 3.0, "A"), (3.5, 5.0, "A"), (4.0, 6.0, "B"), (9.0, 10.0, "A"))
    places, count = plan_stretch(np.random.default_rng(0), real, 12.0, 2)
    talk = simulator.performance(np.random.default_rng(0), 12.0, count, places, Readings().cut)
    expected = np.zeros((12 * SAMPLE_RATE // FRAME_STEP, 2), bool)
    for voice, start, end in ((0, 1.0, 5.0), (1, 4.0, 6.0), (0, 9.0, 10.0)):
        expected[int(start * 25) : int(end * 25), voice] = True
    assert (talk.activity != expected).sum() <= 8
    assert talk.voices[0].speaker is not talk.voices[1].speaker


def test_training_windows_by_real_turns_are_labelled_by_them():
    voices = make_voices([talker("a", 30), talker("b", 30)])
    simulator = Simulator(voices, rooms.make_bank(1, 2, seed=1), Silence(), REAL_ROOMS)
    real = meeting((0.0, 10.0, "A"), (4.0, 6.0, "B"))
    shard = make_shard(simulator, None, 3, 5, meetings=[real])
    expected = np.full(WINDOW_FRAMES, POWERSET.index((0,)))
    expected[4 * 25 : 6 * 25] = POWERSET.index((0, 1))
    assert shard["audio"].shape == (5, WINDOW_SAMPLES)
    assert ((shard["voices"] >= 0).sum(axis=1) == 2).all()
    assert (shard["exact"] != expected).mean() < 0.02


class Silence:
    """No noise."""

    def draw(self, random, samples):
        """[samples] of nothing."""
        return np.zeros(samples, np.float32)

    music = draw


def test_seats_of_a_measured_room_keep_the_direct_sound_and_differ_in_echo(tmp_path):
    random = np.random.default_rng(0)
    for name in rooms.MEASURED:
        decay = np.exp(-6 * np.arange(SAMPLE_RATE * 2) / SAMPLE_RATE)
        response = random.standard_normal(SAMPLE_RATE * 2) * decay
        response[:25], response[25] = 0, 8
        soundfile.write(tmp_path / f"x_{name}.flac", response / 10, SAMPLE_RATE)
    bank = rooms.measured_bank(tmp_path, 3, seed=4)
    assert len(bank) == sum(rooms.MEASURED.values())
    for room in bank:
        echoes = [np.sum(seat[rooms.DIRECT_SAMPLES :] ** 2) for seat in room]
        assert all(seat[0] == 1 and len(seat) == rooms.LONGEST_MEASURED_SAMPLES for seat in room)
        assert max(echoes) > 1.05 * min(echoes)


def test_a_room_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="kitchen"):
        rooms.measured_bank(tmp_path, 2, seed=0)


def test_the_held_out_crowd_trains_nothing_and_leaves_the_others_held_out_as_they_were():
    readers = [talker(f"ls-{index}", 4) for index in range(21)]
    crowd = [talker(f"pvs2i-{index}", 4, "picovoice_s2i") for index in range(7)]
    train, held_out = split(readers + crowd)
    assert [s.name for s in held_out] == ["ls-0", "ls-20"]
    assert [s.name for s in held_out_crowd(readers + crowd)] == ["pvs2i-0", "pvs2i-3", "pvs2i-6"]
    assert len(train) == 19 + 4
