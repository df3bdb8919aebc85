//! What a stream comes to in the end is what the diarizer finds in a recording.

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Diarization, Diarizer, Finished, Stream};

use super::{config, diarizer, finals, push, read, stream};
use crate::invariants;
use crate::sound::{at_rate, conversation, piece, spread};

/// Most that a probability may be off by where the order of sums differs, and the least cosine of
/// two voices.
const CLOSE: f32 = 1e-2;
const ALIKE: f32 = 0.999;

fn recorded(diarizer: &Diarizer, samples: &[f32], rate: u32, channels: u16) -> Diarization {
    let mut source = BufferSource::from_f32(samples, rate, channels).unwrap();
    diarizer.process(&mut source, &Call::none()).unwrap()
}

/// Pushed by tenths of a second.
fn live(stream: &Stream, samples: &[f32]) -> Finished {
    let (rate, channels) = stream.format();
    for chunk in samples.chunks(rate as usize / 10 * usize::from(channels)) {
        push(stream, chunk);
    }
    let finished = stream.finish(&Call::none()).unwrap();
    invariants::check(&finished.diarization, diarizer().model().embedding_dim);
    assert_eq!(finished.final_speakers.len(), stream.speaker_count());
    finished
}

fn assert_alike(live: &Diarization, recorded: &Diarization) {
    let spans = |result: &Diarization| {
        result.segments.iter().map(|s| (s.start_s, s.end_s, s.speaker, s.overlap)).collect::<Vec<_>>()
    };
    assert_eq!(spans(live), spans(recorded));
    assert_eq!(live.duration_s, recorded.duration_s);
    for (a, b) in live.segments.iter().zip(&recorded.segments) {
        assert!((a.confidence - b.confidence).abs() < CLOSE, "{a:?} {b:?}");
    }
    for (a, b) in live.speakers.iter().zip(&recorded.speakers) {
        let cosine: f32 = a.embedding.iter().zip(&b.embedding).map(|(a, b)| a * b).sum();
        assert!(cosine > ALIKE, "{}: {cosine}", a.label);
    }
}

#[test]
fn of_any_length() {
    let window = diarizer().model().window_samples;
    // Among them some at whose end a live window is a short one of the recording, but for less than
    // a frame.
    let lengths =
        [1, 100, 6_399, 6_400, 8_000, 51_199, 76_799, window - 1, window, window + 1, 2 * window + 333];
    for length in lengths {
        let samples = &conversation()[160_000..160_000 + length];
        let found = live(&stream(|_| {}), samples).diarization;
        assert_alike(&found, &recorded(diarizer(), samples, SAMPLE_RATE, 1));
    }
}

#[test]
fn of_the_whole_conversation() {
    let stream = stream(|_| {});
    let finished = live(&stream, conversation());
    assert_alike(&finished.diarization, &recorded(diarizer(), conversation(), SAMPLE_RATE, 1));
    assert!(finished.diarization.speakers.len() > 1);

    // Each speaker of the stream is the one who talks most while they do.
    let told = finals(&read(&stream));
    for (number, &last) in finished.final_speakers.iter().enumerate() {
        let mut shared_s = vec![0.0; finished.diarization.speakers.len()];
        for own in told.iter().filter(|segment| segment.speaker == number) {
            for other in &finished.diarization.segments {
                let both_s = own.end_s.min(other.end_s) - own.start_s.max(other.start_s);
                shared_s[other.speaker] += f64::max(both_s, 0.0);
            }
        }
        let most_s = shared_s.iter().copied().fold(0.0, f64::max);
        match last {
            Some(last) => assert!(most_s > 0.0 && shared_s[last] > most_s - 1e-6, "{number}: {shared_s:?}"),
            None => assert_eq!(most_s, 0.0, "{number}"),
        }
    }
    assert!(finished.final_speakers.iter().any(Option::is_some));
}

#[test]
fn to_the_last_bit_where_windows_are_run_one_by_one() {
    let config = config(|config| config.set_batch(1).unwrap());
    let single = Diarizer::new(&config).unwrap();
    let stream = Stream::new(&single, &config, SAMPLE_RATE, 1).unwrap();
    let found = live(&stream, piece(0.0, 25.0)).diarization;
    assert_eq!(found, recorded(&single, piece(0.0, 25.0), SAMPLE_RATE, 1));
}

#[test]
fn of_other_formats() {
    for (rate, channels) in [(8_000, 1), (44_100, 2)] {
        let samples = spread(&at_rate(piece(10.0, 19.0), rate), channels);
        let stream = Stream::new(diarizer(), &config(|_| {}), rate, channels).unwrap();
        let found = live(&stream, &samples).diarization;
        assert_alike(&found, &recorded(diarizer(), &samples, rate, channels));
        assert!(!found.segments.is_empty(), "{rate} Hz");
    }
}

#[test]
fn of_nothing_and_of_silence() {
    let empty = stream(|_| {});
    let finished = empty.finish(&Call::none()).unwrap();
    let voice_space = Some(diarizer().model().voices());
    let nothing = Diarization { voice_space, ..Diarization::default() };
    assert_eq!((finished.diarization, finished.final_speakers), (nothing, vec![]));
    assert!(read(&empty).is_empty());

    let silent = stream(|_| {});
    let finished = live(&silent, &vec![0.0; 200_000]);
    assert_eq!(finished.diarization.duration_s, 12.5);
    assert!(finished.diarization.segments.is_empty() && read(&silent).is_empty());
    assert_eq!(silent.speaker_count(), 0);
}

#[test]
fn a_short_history_holds_the_end_and_none_holds_nothing() {
    let mut told = Vec::new();
    for history_s in [14_400.0, 15.0, 0.0] {
        let stream = stream(|config| config.set_history(history_s).unwrap());
        let finished = live(&stream, conversation());
        told.push(finals(&read(&stream)));
        let duration_s = conversation().len() as f64 / f64::from(SAMPLE_RATE);
        assert_eq!(finished.diarization.duration_s, duration_s);
        let first_s = finished.diarization.segments.first().map(|segment| segment.start_s);
        let known = finished.final_speakers.iter().flatten().count();
        match history_s as u32 {
            0 => assert_eq!((first_s, known), (None, 0)),
            // A window begins before what it is kept for.
            15 => assert!(first_s.unwrap() > duration_s - 15.0 - 15.0 && known > 0, "{first_s:?}"),
            _ => assert!(first_s.unwrap() < 10.0 && known > 0, "{first_s:?}"),
        }
    }
    assert!(told[0] == told[1] && told[0] == told[2], "the history changes what is told live");
}
