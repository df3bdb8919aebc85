//! What comes out does not depend on how the work is divided, and odd recordings have results too.

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Diarization, Diarizer, Error};

use super::{diarize, diarizer, sound};
use crate::support;

/// One network that is split and one that runs as a whole.
const EMBEDDINGS: [&str; 2] = ["wespeaker_resnet34", "wespeaker_ecapa"];

/// Two stretches and a few windows.
const LONG_S: usize = 100;

fn spans(result: &Diarization) -> Vec<(f64, f64, bool)> {
    let mut spans: Vec<_> = result.segments.iter().map(|s| (s.start_s, s.end_s, s.overlap)).collect();
    spans.sort_by(|a, b| a.partial_cmp(b).unwrap());
    spans
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let audio = sound::syllables(LONG_S);
    for name in EMBEDDINGS {
        let of = |threads| diarize(&diarizer(name, |config| config.set_threads(threads).unwrap()), &audio);
        let one = of(1);
        assert!(!one.segments.is_empty());
        assert_eq!(of(4), one, "{name}");
    }
}

#[test]
fn the_second_run_gives_the_same() {
    let diarizer = diarizer("campplus", |_| {});
    let audio = sound::syllables(14);
    assert_eq!(diarize(&diarizer, &audio), diarize(&diarizer, &audio));
}

/// A diarizer of one speaker by a bundle with this tuning.
fn tuned(embedding: &str, tuning: &str, threads: usize) -> Diarizer {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [("segmentation", "segmentation.onnx"), (embedding, "embedding.onnx")] {
        std::fs::copy(super::family(name), folder.path().join(file)).unwrap();
    }
    let metadata = format!(r#"{{"name": "pair", "tuning": {tuning}}}"#);
    std::fs::write(folder.path().join("metadata.json"), metadata).unwrap();
    let mut config = super::config();
    config.set_threads(threads).unwrap();
    config.set_num_speakers(1).unwrap();
    config.set_bundle(folder.path());
    Diarizer::new(&config).unwrap()
}

/// A diarizer of one speaker by a bundle whose windows share pieces of 2 s.
fn sharing(embedding: &str, threads: usize) -> Diarizer {
    tuned(embedding, r#"{"piece_s": 2.0}"#, threads)
}

#[test]
fn windows_that_share_pieces_hear_the_same_speech() {
    let audio = sound::syllables(LONG_S);
    for name in ["campplus", "wespeaker_ecapa"] {
        let whole = diarizer(name, |config| config.set_num_speakers(1).unwrap());
        let shared = diarize(&sharing(name, 1), &audio);
        assert_eq!(diarize(&sharing(name, 4), &audio), shared, "{name}");
        let apart = diarize(&whole, &audio);
        assert_eq!(spans(&shared), spans(&apart), "{name}");
        // The voices of means are others.
        assert_ne!(shared.speakers[0].embedding, apart.speakers[0].embedding, "{name}");
        // A recording of one window has nobody to share with.
        let short = &audio[..8 * 16_000];
        assert_eq!(diarize(&sharing(name, 1), short), diarize(&whole, short), "{name}");
    }
}

#[test]
fn the_less_silence_weighs_the_more_is_speech() {
    let audio = sound::syllables(30);
    let seconds = |weight: &str| {
        let diarizer = tuned("campplus", &format!(r#"{{"silence_weight": {weight}}}"#), 1);
        let result = diarize(&diarizer, &audio);
        // Averages of probabilities, where votes of one window each are 0 or 1.
        assert!(result.segments.iter().all(|segment| (0.0..1.0).contains(&segment.confidence)));
        result.segments.iter().map(|segment| segment.end_s - segment.start_s).sum::<f64>()
    };
    let (much, usual, little) = (seconds("0.01"), seconds("1"), seconds("100"));
    assert!(much >= usual && usual >= little && much > little + 1.0, "{much}, {usual}, {little}");
}

#[test]
fn any_size_of_batches_hears_the_same_speech() {
    // Whole networks are given crops shortened to a few lengths, so that they fit into one batch:
    // voices differ a little, what is speech does not. A split network is given each crop alone.
    let audio = sound::syllables(30);
    for name in EMBEDDINGS {
        let of = |batch| {
            diarize(
                &diarizer(name, |config| {
                    config.set_batch(batch).unwrap();
                    config.set_num_speakers(1).unwrap();
                }),
                &audio,
            )
        };
        let one = of(1);
        for batch in [3, 8] {
            assert_eq!(spans(&of(batch)), spans(&one), "{name}, {batch} at once");
        }
    }
}

#[test]
fn a_file_and_its_samples_give_the_same() {
    let file = support::root().join("examples/data/conversation.flac");
    let diarizer = diarizer("wespeaker_resnet34", |config| config.set_threads(2).unwrap());
    let mut samples = Vec::new();
    let mut source = voiceflow::audio::FileSource::open(&file).unwrap();
    while voiceflow::audio::AudioSource::read(&mut source, &mut samples).unwrap() > 0 {}
    assert_eq!(diarizer.process_file(&file, &Call::none()).unwrap(), diarize(&diarizer, &samples));
}

#[test]
fn silence_and_nothing_have_no_speakers() {
    for name in EMBEDDINGS {
        for set in [0, 3] {
            let diarizer = diarizer(name, |config| config.set_speaker_range(set, 10).unwrap());
            for samples in [0, 1, 100, 8000, 16_000, 300_000] {
                let result = diarize(&diarizer, &vec![0.0; samples]);
                assert_eq!((result.segments.len(), result.speakers.len()), (0, 0), "{name}: {samples}");
            }
        }
    }
}

#[test]
fn audio_of_any_length_has_a_result() {
    for name in ["wespeaker_resnet34", "wespeaker_ecapa", "campplus", "titanet"] {
        for speakers in [0, 3] {
            let diarizer = diarizer(name, |config| config.set_speaker_range(speakers, 10).unwrap());
            for samples in [1, 100, 400, 990, 8000, 31_999, 32_000, 80_000, 160_000, 160_001] {
                diarize(&diarizer, &sound::syllables(11)[..samples]);
            }
        }
    }
}

#[test]
fn three_speakers_are_found_in_short_audio_where_they_are_asked_for() {
    let diarizer = diarizer("wespeaker_resnet34", |config| config.set_num_speakers(3).unwrap());
    for seconds in [4, 8] {
        let found = diarize(&diarizer, &sound::syllables(seconds)).speakers.len();
        assert!((1..=3).contains(&found), "{seconds} s: {found} speakers");
    }
}

#[test]
fn a_burst_in_silence_is_nowhere_but_around_itself() {
    let mut audio = vec![0.0; 60 * 16_000];
    audio[480_000..496_000].copy_from_slice(&sound::syllables(1));
    for name in EMBEDDINGS {
        let result = diarize(&diarizer(name, |_| {}), &audio);
        // A window that holds none of it is digital silence, which is not even given to the
        // network.
        for segment in &result.segments {
            assert!(segment.start_s > 19.9 && segment.end_s < 41.1, "{name}: {segment:?}");
        }
    }
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    let diarizer = diarizer("campplus", |_| {});
    let mut audio = sound::syllables(3);
    audio[20_000] = f32::NAN;
    let run =
        |audio: &[f32]| diarizer.process(&mut BufferSource::from_f32(audio, SAMPLE_RATE, 1)?, &Call::none());
    let error = run(&audio).unwrap_err();
    println!("{error}");
    assert!(matches!(error, Error::Audio(_) | Error::InvalidArgument(_)), "{error:?}");
    audio[20_000] = 0.0;
    assert!(run(&audio).is_ok());
}

#[test]
fn any_hop_covers_the_recording() {
    for hop_s in [0.5, 2.5, 10.0] {
        let diarizer = diarizer("campplus", |config| config.set_hop(hop_s).unwrap());
        diarize(&diarizer, &sound::syllables(14));
    }
    let mut config = super::pair(&super::family("segmentation"), &super::family("campplus"));
    config.set_hop(11.0).unwrap();
    let text = voiceflow::Diarizer::new(&config).unwrap_err().to_string();
    assert_eq!(text, "hop_s: expected at most the model's window (10 s), got 11");
}

/// Each network has a file: the segmentation, the embedding network as a whole, and its two parts
/// where it is split.
#[test]
fn both_networks_come_from_the_cache_folder() {
    let audio = sound::syllables(12);
    for (name, networks) in [("campplus", 4), ("titanet", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let cached = || diarizer(name, |config| config.set_cache_folder(folder.path().to_owned()));
        let expected = diarize(&diarizer(name, |_| {}), &audio);
        let files = || {
            let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut paths: Vec<_> = paths.collect();
            paths.sort();
            paths
        };
        assert_eq!(diarize(&cached(), &audio), expected, "{name}");
        let written = files();
        assert_eq!(written.len(), networks, "{name}: {written:?}");
        // Each is read where it is found: a second diarizer would put damage right.
        std::fs::write(&written[0], "damaged").unwrap();
        assert_eq!(diarize(&cached(), &audio), expected, "{name}");
        assert_eq!(files(), written, "{name}");
        assert_ne!(std::fs::read(&written[0]).unwrap(), b"damaged", "{name}");
    }
}
