//! Which versions there are, and that old ones go.

use std::sync::Arc;

use voiceflow::audio::SAMPLE_RATE;
use voiceflow::model::Session;
use voiceflow::{Call, ModelSource, Reloadable, Stream};

use super::{config, diarize, fixture, small};
use crate::support;

#[test]
fn a_reload_takes_over_and_what_was_held_goes_on() {
    let diarizer = small();
    let old = diarizer.current();
    let samples = support::conversation();
    let before = diarize(&old, &samples);
    let new = diarizer.reload(&config(|_| {}), &Call::none()).unwrap();
    assert!(Arc::ptr_eq(&new, &diarizer.current()));
    assert_eq!((old.model().name.as_str(), new.model().name.as_str()), ("fixture", "fast-cnn"));
    assert_eq!(diarize(&new, &samples).speakers.len(), 3);
    assert_eq!(diarize(&old, &samples), before);

    let versions = diarizer.versions().unwrap();
    let listed: Vec<_> = versions.iter().map(|v| (v.number, v.model.name.as_str(), v.is_current)).collect();
    assert_eq!(listed, [(2, "fast-cnn", true), (1, "fixture", false)]);
    drop(old);
    assert_eq!(diarizer.versions().unwrap().len(), 1);
}

#[test]
fn streams_keep_the_version_that_they_began_with() {
    let diarizer = small();
    let options = config(|_| {});
    let stream = Stream::new(&diarizer.current(), &options, SAMPLE_RATE, 1).unwrap();
    diarizer.reload(&options, &Call::none()).unwrap();
    let later = Stream::new(&diarizer.current(), &options, SAMPLE_RATE, 1).unwrap();
    let in_use = || {
        let versions = diarizer.versions().unwrap();
        versions.iter().map(|v| (v.number, v.streams, v.calls)).collect::<Vec<_>>()
    };
    assert_eq!(in_use(), [(2, 1, 0), (1, 1, 0)]);
    stream.push_f32(&support::conversation()[..160_000], &Call::none()).unwrap();
    stream.finish(&Call::none()).unwrap();
    assert_eq!(in_use(), [(2, 1, 0), (1, 1, 0)]);
    drop(stream);
    assert_eq!(in_use(), [(2, 1, 0)]);
    drop(later);
    assert_eq!(in_use(), [(2, 0, 0)]);
}

#[test]
fn many_reloads_leave_one_version() {
    let diarizer = small();
    for number in 2..12 {
        diarizer.reload(&fixture("good.onnx"), &Call::none()).unwrap();
        let versions = diarizer.versions().unwrap();
        assert_eq!((versions.len(), versions[0].number), (1, number));
    }
}

#[test]
fn the_new_version_has_as_many_run_slots_ready_as_the_old_one() {
    // Three calls at once make three slots of the old version, and so of the new one; what they
    // give does not depend on it.
    let diarizer = small();
    let samples = support::conversation();
    let expected = diarize(&diarizer.current(), &samples);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(diarize(&diarizer.current(), &samples), expected));
        }
    });
    diarizer.reload(&fixture("good.onnx"), &Call::none()).unwrap();
    assert_eq!(diarize(&diarizer.current(), &samples), expected);
}

#[test]
fn a_prepared_version_is_used_once_it_replaces_the_other() {
    let diarizer = small();
    let next = diarizer.prepare(&config(|_| {}), &Call::none()).unwrap();
    assert_eq!(diarizer.current().model().name, "fixture");
    assert_eq!(next.model().name, "fast-cnn");
    diarizer.replace(next, &Call::none()).unwrap();
    assert_eq!(diarizer.current().model().name, "fast-cnn");
    let alone: voiceflow::Diarizer =
        voiceflow::reload::prepare(&fixture("good.onnx"), &Call::none()).unwrap();
    assert_eq!(alone.model().name, "fixture");
}

#[test]
fn a_session_takes_a_model_of_its_sizes_alone() {
    let one_thread = |set: &dyn Fn(&mut voiceflow::Config)| {
        config(|config| {
            config.set_threads(1).unwrap();
            set(config);
        })
    };
    let float = support::root().join("models/fast-cnn/1.0.1/model.fp32.onnx");
    let session = Reloadable::new(Session::new(&one_thread(&|_| {})).unwrap());
    let old = session.current().info().sha256.clone();
    let same_sizes = one_thread(&|config| config.set_model(ModelSource::File(float.clone())));
    session.reload(&same_sizes, &Call::none()).unwrap();
    assert_ne!(session.current().info().sha256, old);
    let failed = session.reload(&fixture("good.onnx"), &Call::none()).unwrap_err();
    assert_eq!(failed.step, voiceflow::reload::Step::Load);
    assert!(failed.to_string().contains("as of the running model, got"), "{failed}");
    assert_eq!(session.current().info().name, "fast-cnn");
}

#[test]
fn results_and_models_say_what_their_voices_can_be_compared_with() {
    let text = std::fs::read_to_string(support::root().join("models/fast-cnn/1.0.1/metadata.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let diarizer = small();
    assert_eq!(diarizer.current().model().voice_space, "");
    let before = diarize(&diarizer.current(), &support::conversation()).voice_space.unwrap();
    diarizer.reload(&config(|_| {}), &Call::none()).unwrap();
    assert_eq!(diarizer.current().model().voice_space, metadata["voice_space"]);
    let after = diarize(&diarizer.current(), &support::conversation()).voice_space.unwrap();
    assert_eq!(after, diarizer.current().model().voices());
    assert!(!after.shares_voices_with(&before));
}
