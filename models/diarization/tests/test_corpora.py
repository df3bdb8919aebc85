"""Loaders of published corpora, on folders of their layout made here."""

import numpy as np
import pytest
import soundfile
from published import AMI_SECONDS, make_ami, make_librispeech, make_voxconverse, write, write_sound
from voiceflow_models.data.corpora import ami, audio, librispeech, voxconverse
from voiceflow_models.data.corpora.reference import Turn, read_rttm, read_uem
from voiceflow_models.data.corpora.voices import solo_speakers


def test_ami_gives_meetings_with_turns_and_labelled_parts(tmp_path):
    first, second = ami.load(make_ami(tmp_path))
    assert (first.name, first.corpus, first.split) == ("ES2002a", "ami", "train")
    assert first.turns[0] == Turn(1.0, 10.0, "FEE087")
    assert first.stretches == [(0.0, AMI_SECONDS)], "a UEM that is longer than the sound ends with it"
    assert second.stretches == [(0.0, 32.0)]
    assert first.lasting_names


def test_the_ami_setup_may_lie_in_a_folder_of_its_own(tmp_path):
    make_ami(tmp_path)
    setup = tmp_path / "AMI-diarization-setup"
    setup.mkdir()
    for folder in ("lists", "only_words", "uems"):
        (tmp_path / folder).rename(setup / folder)
    assert len(ami.load(tmp_path)) == 2


def test_voxconverse_finds_sound_where_its_archives_put_it(tmp_path):
    root = make_voxconverse(tmp_path)
    (dev,), (test,) = voxconverse.load(root), voxconverse.load(root, "test")
    assert dev.path == root / "audio" / "abjxc.wav" and test.path.parent.name == "voxconverse_test_wav"
    assert [turn.speaker for turn in dev.turns] == ["spk00", "spk01"]
    assert dev.stretches == [(0.0, 12.0)]
    assert not dev.lasting_names


def test_other_rates_are_resampled_and_channels_averaged(tmp_path):
    (recording,) = voxconverse.load(make_voxconverse(tmp_path))
    decoded = audio.read(recording.path)
    expected = audio.read(voxconverse.load(tmp_path, "test")[0].path)
    assert decoded.shape == expected.shape == (12 * 16_000,)
    assert np.corrcoef(decoded, expected)[0, 1] > 0.95
    assert np.std(decoded) == pytest.approx(np.std(expected), rel=0.1)
    part = audio.read(recording.path, 6.0, 3.0)
    assert np.allclose(part[400:-400], decoded[96_400:143_600], atol=1e-3)


def test_librispeech_readers_are_speakers(tmp_path):
    root = make_librispeech(tmp_path / "corpus")
    found = librispeech.readers(root)
    assert [(one.number, one.subset, len(one.utterances)) for one in found] == [
        (19, "train-clean-100", 4),
        (26, "train-other-500", 1),
        (60, "train-clean-100", 3),
    ]
    speakers = librispeech.load(root, tmp_path / "cache")
    assert [speaker.name for speaker in speakers] == ["ls-19", "ls-60"], "ls-26 has 1.6 s of speech"
    assert speakers[0].speech.sum() == pytest.approx(4 * 160, abs=20)
    assert len(speakers[0].onsets) == 4
    assert librispeech.load(root, tmp_path / "other", ["dev-clean"])[0].name == "ls-84"


def test_what_is_kept_is_not_read_again(tmp_path):
    root = make_librispeech(tmp_path / "corpus")
    before = librispeech.load(root, tmp_path / "cache")
    for path in root.glob("LibriSpeech/train-*/*/*/*.flac"):
        path.write_bytes(b"")
    after = librispeech.load(root, tmp_path / "cache")
    assert all(np.array_equal(a.audio, b.audio) for a, b in zip(before, after, strict=True))


def test_speakers_of_meetings_have_solo_speech_from_all_of_them(tmp_path):
    speakers = solo_speakers(ami.load(make_ami(tmp_path)), tmp_path / "cache")
    assert [speaker.name for speaker in speakers] == ["ami-FEE087", "ami-MEE006", "ami-MEO020"]
    # 8 + 1 (until MEE006 begins: 1..10, 18..21) in the first meeting, 3 in the second.
    assert speakers[0].speech.sum() / 100 == pytest.approx(9 + 3 + 3, abs=0.4)


def test_speakers_whose_names_do_not_last_have_no_class(tmp_path):
    assert solo_speakers(voxconverse.load(make_voxconverse(tmp_path)), tmp_path / "cache") == []


def test_lines_without_turns_are_passed_over(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(
        ";; a comment\n\nSPKR-INFO a 1 <NA> <NA> <NA> unknown x <NA> <NA>\n"
        "SPEAKER a 1 2 1 <NA> <NA> x <NA> <NA>\n"
        "SPEAKER a 1 1.5 0 <NA> <NA> y <NA>\nSPEAKER a 1 0 1 <NA> <NA> y <NA>\n"
    )
    assert read_rttm(path, "a") == [Turn(0.0, 1.0, "y"), Turn(2.0, 3.0, "x")]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("SPEAKER a 1 0.5", "at least 8 fields, got 4"),
        ("SPEAKER a 1 x 1 <NA> <NA> s <NA> <NA>", "start in seconds, 0 or more, got 'x'"),
        ("SPEAKER a 1 1 nan <NA> <NA> s <NA> <NA>", "duration in seconds, 0 or more, got 'nan'"),
        ("SPEAKER a 1 1 -2 <NA> <NA> s <NA> <NA>", "duration in seconds, 0 or more, got '-2'"),
        ("SPEAKER b 1 1 2 <NA> <NA> s <NA> <NA>", "recording 'a', got 'b'"),
        ("SPAEKER a 1 1 2 <NA> <NA> s <NA> <NA>", "begins with SPEAKER, got 'SPAEKER'"),
    ],
)
def test_a_malformed_rttm_line_is_named(tmp_path, line, complaint):
    path = tmp_path / "a.rttm"
    path.write_text(f"SPEAKER a 1 0 1 <NA> <NA> s <NA> <NA>\n{line}\n")
    with pytest.raises(ValueError, match=r"a\.rttm:2: expected .*" + complaint):
        read_rttm(path, "a")


@pytest.mark.parametrize("line", ["a 1 0.0", "b 1 0 5", "a 1 5 5", "a 1 zero 5"])
def test_a_malformed_uem_line_is_named(tmp_path, line):
    path = tmp_path / "a.uem"
    path.write_text(f"a 1 0 10\n{line}\n")
    with pytest.raises(ValueError, match=r"a\.uem:2: expected"):
        read_uem(path, "a")


def test_missing_files_of_ami_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.meetings\.txt"):
        ami.load(tmp_path)
    root = make_ami(tmp_path)
    (root / "only_words" / "rttms" / "train" / "IS1000a.rttm").rename(root / "gone")
    with pytest.raises(FileNotFoundError, match=r"rttms/train/IS1000a\.rttm: no such reference"):
        ami.load(root)
    (root / "gone").rename(root / "only_words" / "rttms" / "train" / "IS1000a.rttm")
    (root / "amicorpus" / "ES2002a" / "audio" / "ES2002a.Mix-Headset.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"ES2002a\.Mix-Headset\.wav: no such recording"):
        ami.load(root)


def test_missing_files_of_voxconverse_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no .rttm files"):
        voxconverse.load(tmp_path)
    root = make_voxconverse(tmp_path)
    stray = root / "audio" / "zzzzz.wav"
    write_sound(stray, np.zeros(16_000), 16_000)
    with pytest.raises(FileNotFoundError, match=r"zzzzz\.wav: no reference; expected .*dev/zzzzz\.rttm"):
        voxconverse.load(root)
    stray.unlink()
    (root / "audio" / "abjxc.wav").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"dev/abjxc\.rttm: its recording is at none of .*audio/abjxc\.wav"
    ):
        voxconverse.load(root)


def test_sound_that_does_not_fit_is_refused(tmp_path):
    root = make_voxconverse(tmp_path)
    path = root / "audio" / "abjxc.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    with pytest.raises(ValueError, match=r"abjxc\.wav: expected 11\.0 s as in its reference, got 1\.0 s"):
        voxconverse.load(root)
    soundfile.write(path, np.zeros(48_000), 4_000)
    with pytest.raises(ValueError, match=r"abjxc\.wav: expected at least 8000 Hz, got 4000 Hz"):
        voxconverse.load(root)
    path.write_text("no sound")
    with pytest.raises(ValueError, match=r"abjxc\.wav: expected a sound file, got"):
        voxconverse.load(root)


def test_what_is_no_librispeech_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"SPEAKERS\.TXT: no such file"):
        librispeech.readers(tmp_path)
    root = make_librispeech(tmp_path)
    with pytest.raises(FileNotFoundError, match="test-clean: no such subset"):
        librispeech.readers(root, ["test-clean"])
    (root / "LibriSpeech" / "train-clean-100" / "777").mkdir()
    with pytest.raises(ValueError, match=r"expected the number of a reader in SPEAKERS\.TXT, got '777'"):
        librispeech.readers(root)
    write(root / "LibriSpeech" / "SPEAKERS.TXT", "; comment\n19 | F | train-clean-100\n")
    with pytest.raises(ValueError, match=r"SPEAKERS\.TXT:2: expected ID"):
        librispeech.readers(root)


@pytest.mark.parametrize("corpus", [ami, voxconverse])
def test_an_unknown_split_is_refused(tmp_path, corpus):
    with pytest.raises(ValueError, match="split: expected one of .*, got 'eval'"):
        corpus.load(tmp_path, "eval")
