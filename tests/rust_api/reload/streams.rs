//! Streams that go over to the versions that take the place of theirs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use voiceflow::audio::SAMPLE_RATE;
use voiceflow::output::rttm;
use voiceflow::score::{ScoreOptions, score};
use voiceflow::{Call, Cancel, Config, Diarizer, Finished, ModelSource, Reloadable, Segment, Stream, Turn};

use super::{config, fixture};
use crate::support;

/// fast-cnn in floats, as a bundle which says that its voices are those of the one in 8 bits, or
/// others.
fn float(name: &str, metadata: &str) -> Config {
    let folder: PathBuf = support::fresh_folder(name);
    let model = support::root().join("models/fast-cnn/1.0.1/model.fp32.onnx");
    std::fs::copy(model, folder.join("model.onnx")).unwrap();
    std::fs::write(folder.join("metadata.json"), metadata).unwrap();
    config(|config| config.set_bundle(folder))
}

fn fast() -> Reloadable<Diarizer> {
    Reloadable::new(Diarizer::new(&config(|config| config.set_bundle("fast-cnn"))).unwrap())
}

fn following(diarizer: &Reloadable<Diarizer>) -> Stream {
    let options = config(|config| config.set_follow_reloads(true));
    Stream::open_reloadable(diarizer, &options, SAMPLE_RATE, 1, &Call::none()).unwrap()
}

fn push(stream: &Stream, samples: &[f32]) {
    stream.push_f32(samples, &Call::none()).unwrap();
}

#[test]
fn speakers_keep_their_numbers_in_the_same_voice_space() {
    the_same_model_knows_everybody(&float("reload-same-space", r#"{"voice_space": "fast-cnn-1"}"#), 0.8);
}

#[test]
fn speakers_are_learned_anew_where_the_voice_space_has_another_name() {
    the_same_model_knows_everybody(&float("reload-named-space", r#"{"voice_space": "others"}"#), 0.8);
}

/// A stream that goes over to `float` has the numbers of one that stays, for so much of the speech.
fn the_same_model_knows_everybody(float: &Config, share: f64) {
    let diarizer = fast();
    let samples = support::conversation();
    let (first, rest) = samples.split_at(samples.len() / 2);
    let stays = Stream::open_reloadable(&diarizer, &config(|_| {}), SAMPLE_RATE, 1, &Call::none()).unwrap();
    let follows = following(&diarizer);
    for stream in [&stays, &follows] {
        push(stream, first);
    }
    let known: Vec<Vec<f32>> = follows.speakers().into_iter().map(|speaker| speaker.embedding).collect();
    assert!(known.len() >= 2);
    diarizer.reload(float, &Call::none()).unwrap();
    for stream in [&stays, &follows] {
        push(stream, rest);
    }
    assert_eq!(follows.model(), *diarizer.current().model());
    assert_ne!(stays.model(), follows.model());
    let streams: Vec<_> = diarizer.versions().unwrap().iter().map(|v| (v.number, v.streams)).collect();
    assert_eq!(streams, [(2, 1), (1, 1)]);
    // Whoever was known before is the same afterwards.
    for (number, before) in known.iter().enumerate() {
        let speakers = follows.speakers();
        let near = |other: &[f32]| -> f32 { before.iter().zip(other).map(|(a, b)| a * b).sum() };
        let likest = (0..speakers.len())
            .max_by(|&a, &b| near(&speakers[a].embedding).total_cmp(&near(&speakers[b].embedding)))
            .unwrap();
        assert_eq!(likest, number);
    }
    // The two models are the same one in other numbers: who talks when is nearly the same, by the
    // same numbers.
    let finals = |stream: &Stream| -> Vec<Segment> {
        let finished = stream.finish(&Call::none()).unwrap();
        assert!(finished.diarization.speakers.len() >= 3);
        stream.read(usize::MAX).into_iter().map(|live| live.segment).collect()
    };
    let (expected, found) = (finals(&stays), finals(&follows));
    let seconds = |segments: &[Segment]| segments.iter().map(|s| s.end_s - s.start_s).sum::<f64>();
    let shared: f64 = expected
        .iter()
        .flat_map(|a| found.iter().filter(|b| b.speaker == a.speaker).map(|b| (*a, *b)))
        .map(|(a, b)| (a.end_s.min(b.end_s) - a.start_s.max(b.start_s)).max(0.0))
        .sum();
    let most = seconds(&expected).max(seconds(&found));
    assert_eq!(follows.speaker_count(), stays.speaker_count());
    assert!(shared > share * most, "{shared} of {most} s");
}

#[test]
fn calls_that_end_early_learn_one_speaker_after_the_other() {
    let diarizer = fast();
    let samples = support::conversation();
    let stream = following(&diarizer);
    let (first, rest) = samples.split_at(samples.len() / 2);
    push(&stream, first);
    assert!(stream.speaker_count() >= 2);
    diarizer.reload(&float("reload-in-steps", r#"{"voice_space": "others"}"#), &Call::none()).unwrap();
    let goes_over = rest.chunks(1600).take(20).any(|piece| {
        let (cancel, looks) = (Cancel::new(), AtomicUsize::new(0));
        let second = |_, _| {
            if looks.fetch_add(1, Ordering::Relaxed) == 1 {
                cancel.set();
            }
        };
        // It may have ended before.
        let _ = stream.push_f32(piece, &Call::none().with_cancel(&cancel).with_progress(&second));
        stream.model() == *diarizer.current().model()
    });
    assert!(goes_over);
}

#[test]
fn a_reload_after_the_last_push_leaves_the_answer() {
    let diarizer = fast();
    let samples = support::conversation();
    let streams = [following(&diarizer), following(&diarizer)];
    streams.iter().for_each(|stream| push(stream, &samples));
    let [stays, follows] = streams;
    let expected = stays.finish(&Call::none()).unwrap();
    assert!(expected.diarization.speakers.len() >= 3);
    diarizer.reload(&float("reload-at-the-end", r#"{"voice_space": "others"}"#), &Call::none()).unwrap();
    assert_eq!(follows.finish(&Call::none()).unwrap(), expected);
}

/// The bundle out of published weights: other voices, windows and frames than fast-cnn's.
fn accurate() -> Config {
    config(|config| config.set_bundle(support::root().join(".models/accurate")))
}

/// The turns that people hear in the conversation.
fn reference() -> Vec<Turn> {
    let path = support::root().join("examples/data/conversation.rttm");
    rttm::read(&path).unwrap().into_values().next().unwrap()
}

/// Who talks most while each number of a stream does, from one time to another; `None` for a number
/// that says nothing.
fn heard(segments: &[Segment], numbers: usize, from_s: f64, to_s: f64) -> Vec<Option<String>> {
    let shared = |number: usize, turn: &Turn| -> f64 {
        let own = segments.iter().filter(|segment| segment.speaker == number);
        own.map(|s| (s.end_s.min(turn.end_s).min(to_s) - s.start_s.max(turn.start_s).max(from_s)).max(0.0))
            .sum()
    };
    let of = |number: usize| {
        let mut by_name = std::collections::BTreeMap::<String, f64>::new();
        for turn in reference() {
            *by_name.entry(turn.speaker.clone()).or_default() += shared(number, &turn);
        }
        let most = by_name.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (most.1 > 1.0).then_some(most.0)
    };
    (0..numbers).map(of).collect()
}

/// What a stream that begins with fast-cnn answers if it goes over to `other` in the middle, fed in
/// pieces of `piece` samples.
fn crossing(other: &Config, piece: usize) -> (Vec<Segment>, Finished, f64) {
    let diarizer = fast();
    let stream = following(&diarizer);
    let samples = support::conversation();
    let (first, rest) = samples.split_at(samples.len() / 2);
    let feed = |samples: &[f32]| samples.chunks(piece).for_each(|piece| push(&stream, piece));
    feed(first);
    let border_s = stream.received_s() + stream.until_window_s() - diarizer.current().live_hop_s();
    diarizer.reload(other, &Call::none()).unwrap();
    feed(rest);
    assert_eq!(stream.model(), *diarizer.current().model());
    // The memory of the old version is given back.
    assert_eq!(diarizer.versions().unwrap().len(), 1);
    let finished = stream.finish(&Call::none()).unwrap();
    let live = stream.read(usize::MAX);
    assert!(live.iter().all(|live| live.is_final));
    (live.into_iter().map(|live| live.segment).collect(), finished, border_s)
}

#[test]
fn speakers_keep_their_numbers_in_another_voice_space() {
    let length_s = support::conversation().len() as f64 / f64::from(SAMPLE_RATE);
    let (segments, finished, border_s) = crossing(&accurate(), 6_400);
    let numbers = finished.final_speakers.len();
    let before = heard(&segments, numbers, 0.0, border_s);
    let after = heard(&segments, numbers, border_s, length_s);
    assert!(before.iter().flatten().count() >= 2, "{before:?}");
    let both = before.iter().zip(&after).filter(|(before, after)| before.is_some() && after.is_some());
    assert!(
        both.clone().count() >= 2 && both.clone().all(|(before, after)| before == after),
        "{before:?} {after:?}"
    );
    // Segments of one number never overlap, also at the border.
    for number in 0..numbers {
        let mut own: Vec<_> = segments.iter().filter(|segment| segment.speaker == number).collect();
        own.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        assert!(own.windows(2).all(|pair| pair[0].end_s <= pair[1].start_s), "{own:?}");
    }
    // The result is that of the whole stream.
    let result = &finished.diarization;
    assert!((result.duration_s - length_s).abs() < 0.01, "{}", result.duration_s);
    assert!(result.segments.first().unwrap().start_s < 2.0);
    assert!(result.segments.last().unwrap().end_s > length_s - 5.0);
    assert_eq!(result.voice_space.as_ref().unwrap().name, "campplus-zh-en-common");
    assert!(result.speakers.iter().all(|speaker| speaker.embedding.len() == 192 && speaker.speech_s > 0.0));
    let whole = [(0.0, result.duration_s)];
    let der = score(&reference(), &result.turns(), Some(&whole), &ScoreOptions::default()).unwrap().der();
    assert!(der < 0.25, "{der}");
}

#[test]
fn a_crossing_does_not_depend_on_how_the_audio_comes() {
    let answers = [1_600, 6_400, 100_000].map(|piece| crossing(&accurate(), piece));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn a_stream_goes_over_to_other_frames_and_back() {
    let diarizer = fast();
    let stream = following(&diarizer);
    let samples = &support::conversation()[..20 * SAMPLE_RATE as usize];
    push(&stream, samples);
    let known = stream.speaker_count();
    for (other, name) in [
        (float("reload-other-space", r#"{"name": "others", "voice_space": "others"}"#), "others"),
        (fixture("good.onnx"), "fixture"),
        (config(|config| config.set_bundle("fast-cnn")), "fast-cnn"),
    ] {
        diarizer.reload(&other, &Call::none()).unwrap();
        push(&stream, samples);
        assert_eq!(stream.model(), *diarizer.current().model(), "{name}");
        assert_eq!(diarizer.versions().unwrap().len(), 1);
        assert!(stream.speaker_count() >= known);
        let dim = stream.model().embedding_dim;
        assert!(stream.speakers().iter().all(|speaker| speaker.embedding.len() == dim));
    }
    let finished = stream.finish(&Call::none()).unwrap();
    assert!((finished.diarization.duration_s - 80.0).abs() < 0.01);
    assert_eq!(finished.final_speakers.len(), stream.speaker_count());
    stream.reset(&Call::none()).unwrap();
    push(&stream, samples);
    assert!(stream.speaker_count() > 0);
}

#[test]
fn a_stream_without_versions_cannot_follow_them() {
    let options = config(|config| config.set_follow_reloads(true));
    let error = Stream::new(&fast().current(), &options, SAMPLE_RATE, 1).unwrap_err();
    assert!(
        error.to_string().starts_with("follow_reloads: expected a stream over a `Reloadable`"),
        "{error}"
    );
    let session = voiceflow::model::Session::new(&options).unwrap_err();
    assert!(session.to_string().starts_with("follow_reloads: expected not to be set for a session"));
    let path = ModelSource::File(support::root().join("tests/data/models/good.onnx"));
    let mut options = config(|config| config.set_model(path));
    options.set_follow_reloads(true);
    // The options of a diarizer may be those of its streams too.
    Diarizer::new(&options).unwrap();
}
