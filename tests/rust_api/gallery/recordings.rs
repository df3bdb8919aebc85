//! People enrolled by pieces of a conversation, with the model compiled in.

use std::sync::OnceLock;

use voiceflow::audio::{AudioSource, BufferSource, FileSource, SAMPLE_RATE};
use voiceflow::output::rttm;
use voiceflow::{Call, Cancel, Config, Diarizer, Error, Gallery, Provider, ProviderPolicy, Voice};

use super::names;
use crate::support::{root, runtime_library};

const PEOPLE: [&str; 3] = ["ada", "ben", "kim"];

fn diarizer() -> Diarizer {
    let mut config = Config::default();
    config.set_runtime_library(runtime_library());
    config.set_provider(Provider::Cpu, ProviderPolicy::Required);
    config.set_threads(2).unwrap();
    Diarizer::new(&config).unwrap()
}

fn conversation() -> &'static [f32] {
    static SAMPLES: OnceLock<Vec<f32>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let path = root().join("examples/data/conversation.flac");
        let (mut source, mut samples) = (FileSource::open(&path).unwrap(), Vec::new());
        while source.read(&mut samples).unwrap() > 0 {}
        samples
    })
}

/// What the reference has a person say, the turns before half time or those after it.
fn said(person: &str, before: bool) -> Vec<f32> {
    let reference = rttm::read(root().join("examples/data/conversation.rttm")).unwrap();
    let samples = conversation();
    let half_s = samples.len() as f64 / f64::from(SAMPLE_RATE) / 2.0;
    let place = |seconds: f64| ((seconds * f64::from(SAMPLE_RATE)) as usize).min(samples.len());
    let turns = reference["conversation"].iter().filter(|turn| turn.speaker == person);
    turns
        .filter(|turn| (turn.start_s < half_s) == before)
        .flat_map(|turn| &samples[place(turn.start_s)..place(turn.end_s)])
        .copied()
        .collect()
}

fn voice(diarizer: &Diarizer, samples: &[f32]) -> voiceflow::Result<Voice> {
    diarizer.voice(&mut BufferSource::from_f32(samples, SAMPLE_RATE, 1)?, &Call::none())
}

#[test]
fn who_was_enrolled_is_known_again_and_a_stranger_is_not() {
    let diarizer = diarizer();
    let mut gallery = Gallery::new(diarizer.model());
    for person in PEOPLE {
        gallery.enroll(person, &voice(&diarizer, &said(person, true)).unwrap()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json");
    gallery.save(&path).unwrap();
    let gallery = Gallery::load(&path, diarizer.model()).unwrap();

    for person in PEOPLE {
        let heard = voice(&diarizer, &said(person, false)).unwrap();
        let identity = gallery.identify(&heard.embedding, gallery.threshold()).unwrap();
        assert_eq!(gallery.name_of(&identity), Some(person), "{identity:?}");
        let mut without = gallery.clone();
        without.remove(person).unwrap();
        let identity = without.identify(&heard.embedding, without.threshold()).unwrap();
        assert_eq!(without.name_of(&identity), None, "{person}: {identity:?}");
    }

    let mut source = BufferSource::from_f32(conversation(), SAMPLE_RATE, 1).unwrap();
    let mut diarization = diarizer.process(&mut source, &Call::none()).unwrap();
    gallery.name_speakers(&mut diarization, gallery.threshold()).unwrap();
    let mut labels: Vec<&str> = diarization.speakers.iter().map(|speaker| speaker.label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, PEOPLE);
    assert_eq!(names(&gallery), PEOPLE);
}

#[test]
fn recordings_that_hold_no_one_voice_are_refused() {
    let diarizer = diarizer();
    let second = SAMPLE_RATE as usize;
    for (samples, expected) in [
        (&vec![0.0; 5 * second][..], "expected one speaker, found no speech"),
        (&[], "expected one speaker, found no speech"),
        (&said("ben", true)[..2 * second], "expected at least 3 s of speech, found "),
        (conversation(), "expected one speaker, found 3 with "),
    ] {
        let error = voice(&diarizer, samples).expect_err(expected);
        assert!(matches!(error, Error::Audio(_)), "{error:?}");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let path = root().join("examples/data/conversation.flac");
    let error = diarizer.voice_file(&path, &Call::none()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: expected one speaker", path.display())), "{error}");
}

#[test]
fn finding_a_voice_can_be_cancelled() {
    let cancel = Cancel::new();
    let stop = |_, _| cancel.set();
    let call = Call::none().with_progress(&stop).with_cancel(&cancel);
    let mut source = BufferSource::from_f32(conversation(), SAMPLE_RATE, 1).unwrap();
    assert!(matches!(diarizer().voice(&mut source, &call), Err(Error::Cancelled { .. })));
}
