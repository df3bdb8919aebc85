//! Streams that go over to the versions that take the place of theirs.

use std::path::PathBuf;

use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Config, Diarizer, ModelSource, Reloadable, Segment, Stream};

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
    diarizer.reload(&float("reload-same-space", r#"{"voice_space": "fast-cnn-1"}"#), &Call::none()).unwrap();
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
    let (most, share) = (seconds(&expected).max(seconds(&found)), 0.8);
    assert!(shared > share * most, "{shared} of {most} s");
}

#[test]
fn a_stream_stays_where_its_speakers_would_lose_their_meaning() {
    let diarizer = fast();
    let stream = following(&diarizer);
    let samples = &support::conversation()[..10 * SAMPLE_RATE as usize];
    let own = stream.model();
    for other in [float("reload-other-space", r#"{"voice_space": "others"}"#), fixture("good.onnx")] {
        push(&stream, samples);
        diarizer.reload(&other, &Call::none()).unwrap();
        push(&stream, samples);
        assert_eq!(stream.model(), own);
    }
    // Two swaps later it is the first version that it holds.
    let versions = diarizer.versions().unwrap();
    assert_eq!(versions.iter().map(|v| (v.number, v.streams)).collect::<Vec<_>>(), [(3, 0), (1, 1)]);
    stream.finish(&Call::none()).unwrap();
    // What begins anew takes the current version.
    stream.reset(&Call::none()).unwrap();
    assert_eq!(stream.model().name, "fixture");
    push(&stream, samples);
    assert_eq!(diarizer.versions().unwrap().len(), 1);
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
