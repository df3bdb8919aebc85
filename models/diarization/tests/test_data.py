"""Labels, simulation and the teacher's alignment, on voices made here."""

import numpy as np
import pytest
from voiceflow_models.data import rooms
from voiceflow_models.data.channel import telephone
from voiceflow_models.data.meetings import rttm
from voiceflow_models.data.simulate import SPEEDS, Simulator, cut_speech, make_voices
from voiceflow_models.data.sources import Speaker, speech_frames
from voiceflow_models.data.turns import close_pauses, draw_manner, plan_turns
from voiceflow_models.layout import FRAME_STEP, MAX_SPEAKERS, POWERSET, SAMPLE_RATE
from voiceflow_models.powerset import MEMBERSHIP, exact_classes, permute_classes, settle_identity
from voiceflow_models.teachers.segmentation import align


def buzz(pitch: float, seconds: float) -> np.ndarray:
    """A voiced sound."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 12)).astype(np.float32) * 0.1


def speaker(name: str, pitch: float) -> Speaker:
    """A talker of ten one-second words with 1.2 s of near silence between them."""
    rest = np.full(SAMPLE_RATE * 6 // 5, 1e-4, np.float32)
    audio = np.concatenate([np.concatenate([buzz(pitch, 1.0), rest]) for _ in range(10)])
    return Speaker(name, "test", (audio * 32767).astype(np.int16), speech_frames(audio))


class Hiss:
    """Noise without files."""

    def draw(self, random, samples):
        """White noise of RMS 1."""
        return random.standard_normal(samples).astype(np.float32)

    music = draw


@pytest.fixture
def simulator() -> Simulator:
    """Three voices in two rooms."""
    speakers = [speaker("low", 90.0), speaker("middle", 150.0), speaker("high", 230.0)]
    return Simulator(make_voices(speakers), rooms.make_bank(2, 3, seed=1), Hiss())


def test_speech_is_found_where_it_is():
    speech = speaker("low", 100.0).speech
    words = np.tile([True] * 100 + [False] * 120, 10)
    assert (speech[: len(words)] == words).mean() > 0.95


def test_short_pauses_belong_to_the_speech_around_them():
    gaps = {0.3: True, 0.8: False}
    for seconds, bridged in gaps.items():
        rest = np.full(int(seconds * SAMPLE_RATE), 1e-4, np.float32)
        speech = speech_frames(np.concatenate([buzz(100.0, 1.0), rest, buzz(100.0, 1.0)]))
        assert speech[100 + int(50 * seconds)] == bridged


def test_silence_is_no_speech():
    assert not speech_frames(np.zeros(SAMPLE_RATE, np.float32)).any()


def test_a_pause_in_a_turn_belongs_to_it_unless_somebody_else_talks_in_it():
    first = np.array([1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0], bool)
    second = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], bool)
    closed = close_pauses(np.stack([first, second], axis=1), 3)
    assert closed[:, 0].astype(int).tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0]
    assert np.array_equal(closed[:, 1], second)


def test_a_window_in_which_nobody_talks_is_not_turned_up(simulator):
    def level(speakers: int) -> float:
        talks = [simulator.conversation(np.random.default_rng(seed), 10.0, speakers) for seed in range(40)]
        return np.median([np.sqrt(np.mean(talk.audio**2)) for talk in talks])

    assert level(0) < 0.5 * level(3)


def test_few_speakers_carry_a_stretch_of_conversation():
    second, talking = SAMPLE_RATE, []
    for seed in range(20):
        random = np.random.default_rng(seed)
        spoken = np.zeros((6, 60))
        for place in plan_turns(random, 60 * second, 6, draw_manner(random, 0.0, 1.0)):
            end = min(place.start + place.length, 60 * second)
            for tenth in range(place.start * 10 // second, end * 10 // second):
                spoken[place.voice, tenth // 10] += 0.1
        talking += [(spoken[:, first : first + 10].sum(axis=1) >= 0.3).sum() for first in range(50)]
    talking = np.array(talking)
    assert 1.5 < talking.mean() < 3
    assert (talking > 3).mean() < 0.15
    assert len(np.unique(talking)) >= 3


def test_voices_at_other_speeds_are_other_voices():
    voices = make_voices([speaker("low", 90.0), speaker("high", 200.0)])
    assert [voice.label for voice in voices] == list(range(2 * len(SPEEDS)))


def test_a_faster_voice_is_shorter_and_its_labels_follow():
    fast = next(voice for voice in make_voices([speaker("low", 90.0)]) if voice.speed == 1.1)
    audio, speech = cut_speech(np.random.default_rng(0), fast, 3 * SAMPLE_RATE)
    level = np.sqrt((audio[: len(speech) * 160].reshape(-1, 160) ** 2).mean(axis=1))
    assert ((level[: len(speech)] > 0.01) == speech[: len(level)]).mean() > 0.93


def test_turns_lie_in_the_recording_and_everybody_is_allowed_to_talk():
    random = np.random.default_rng(3)
    for speakers in (0, 1, 3):
        for _ in range(50):
            places = plan_turns(random, 10 * SAMPLE_RATE, speakers, draw_manner(random, 0.3, 1.0))
            assert all(0 <= p.start < 10 * SAMPLE_RATE and p.length > 0 for p in places)
            assert {p.voice for p in places} <= set(range(speakers))


def test_a_seed_fixes_the_conversation_and_labels_mark_the_sound(simulator):
    first = simulator.conversation(np.random.default_rng(5), 10, 2)
    again = simulator.conversation(np.random.default_rng(5), 10, 2)
    assert np.array_equal(first.audio, again.audio)
    assert first.activity.shape == (10 * SAMPLE_RATE // FRAME_STEP, 2)
    assert np.abs(first.audio).max() <= 1.0


def test_loud_frames_are_labelled(simulator):
    random = np.random.default_rng(8)
    inside, outside = [], []
    for _ in range(20):
        talk = simulator.conversation(random, 10, 1)
        level = (talk.audio.reshape(-1, FRAME_STEP) ** 2).mean(axis=1)
        talking = talk.activity[:, 0]
        if talking.any() and not talking.all():
            inside.append(level[talking].mean() / level.mean())
            outside.append(level[~talking].mean() / level.mean())
    assert np.median(inside) > 3 * np.median(outside)


def test_the_telephone_band_keeps_the_middle_only():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for frequency, kept in ((100, False), (1000, True), (6000, False)):
        tone = np.sin(2 * np.pi * frequency * time).astype(np.float32)
        assert (np.std(telephone(tone)[2000:]) > 0.5) == kept


def test_classes_of_renamed_speakers():
    assert permute_classes((0, 1, 2)) == list(range(len(POWERSET)))
    assert permute_classes((1, 0, 2)) == [0, 2, 1, 3, 4, 6, 5]


def test_the_teacher_is_aligned_to_the_labels():
    random = np.random.default_rng(2)
    activity = np.zeros((50, MAX_SPEAKERS), bool)
    activity[:20, 0] = activity[15:30, 1] = activity[35:, 2] = True
    classes = np.eye(len(POWERSET))[exact_classes(activity)]
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        renamed = classes[:, permute_classes(order)] + 0.01 * random.random(classes.shape)
        assert np.array_equal((align(renamed, activity) @ MEMBERSHIP) > 0.5, activity)


def test_of_three_at_once_two_are_labelled():
    assert exact_classes(np.ones((1, 3), bool)).tolist() == [4]
    assert exact_classes(np.array([[False, True, True]])).tolist() == [6]


def test_labels_become_rttm():
    activity = np.zeros((10, 2), bool)
    activity[2:5, 1] = True
    voices = make_voices([speaker("low", 90.0), speaker("high", 200.0)])
    chosen = [voices[0], voices[3]]
    assert rttm("m", activity, chosen) == "SPEAKER m 1 0.080 0.120 <NA> <NA> high <NA> <NA>\n"


def test_who_talks_is_settled_by_the_labels_and_how_many_by_the_teacher():
    def soft(**shares):
        return np.array([shares.get(name, 0.0) for name in ("none", "a", "b", "c", "ab", "ac", "bc")])

    settled = settle_identity(
        np.stack(
            [
                soft(none=0.2, a=0.1, b=0.6, bc=0.1),  # confuses a with b
                soft(none=0.4, a=0.2, b=0.4),  # detects one of the two that talk
                soft(none=0.7, c=0.3),  # detects speech where nobody is known to talk
            ]
        ),
        np.array([1, 4, 0]),
    )
    expected = [
        soft(none=0.2, a=0.7, ab=0.05, ac=0.05),
        soft(none=0.4, a=0.2, b=0.4),
        soft(none=0.7, c=0.3),
    ]
    assert np.allclose(settled, expected, atol=2e-3)


def test_nobody_talks_over_themselves():
    random = np.random.default_rng(4)
    for _ in range(200):
        free = {}
        for place in plan_turns(random, 20 * SAMPLE_RATE, 3, draw_manner(random, 0.3, 1.0)):
            assert place.start >= free.get(place.voice, 0)
            free[place.voice] = place.start + place.length
