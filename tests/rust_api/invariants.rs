//! What is true of every diarization.

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Diarization, Diarizer, Segment};

/// Most that a length of 1 and a sum of seconds may be off by.
const TOLERANCE: f64 = 1e-3;

/// Diarizes 16 kHz mono samples; whatever comes out is looked over.
pub fn diarize(diarizer: &Diarizer, samples: &[f32]) -> Diarization {
    let mut source = BufferSource::from_f32(samples, SAMPLE_RATE, 1).unwrap();
    let result = diarizer.process(&mut source, &Call::none()).unwrap();
    assert_eq!(result.duration_s, samples.len() as f64 / f64::from(SAMPLE_RATE));
    check(&result, diarizer.model().embedding_dim);
    result
}

/// Panics where `result` is not as its type promises.
pub fn check(result: &Diarization, embedding_dim: usize) {
    check_segments(result);
    check_speakers(result, embedding_dim);
}

fn check_segments(result: &Diarization) {
    let key = |segment: &Segment| (segment.start_s, segment.end_s, segment.speaker);
    assert!(result.segments.is_sorted_by(|a, b| key(a) < key(b)), "{:?}", result.segments);
    for segment in &result.segments {
        assert!(segment.start_s >= 0.0, "{segment:?}");
        assert!(segment.start_s < segment.end_s, "{segment:?}");
        assert!(segment.end_s <= result.duration_s, "{segment:?} of {} s", result.duration_s);
        assert!((0.0..=1.0).contains(&segment.confidence), "{segment:?}");
        let together = |other: &&Segment| {
            *other != segment && other.start_s < segment.end_s && other.end_s > segment.start_s
        };
        let others: Vec<&Segment> = result.segments.iter().filter(together).collect();
        assert!(others.iter().all(|other| other.speaker != segment.speaker), "{segment:?}: {others:?}");
        assert_eq!(segment.overlap, !others.is_empty(), "{segment:?}: {others:?}");
    }
}

fn check_speakers(result: &Diarization, embedding_dim: usize) {
    let mut appeared: Vec<usize> = Vec::new();
    for segment in &result.segments {
        if !appeared.contains(&segment.speaker) {
            appeared.push(segment.speaker);
        }
    }
    assert_eq!(appeared, (0..result.speakers.len()).collect::<Vec<_>>(), "{:?}", result.segments);
    for (index, speaker) in result.speakers.iter().enumerate() {
        assert_eq!(speaker.label, format!("SPEAKER_{index:02}"));
        let own = result.segments.iter().filter(|segment| segment.speaker == index);
        let speech_s: f64 = own.map(|segment| segment.end_s - segment.start_s).sum();
        assert!((speaker.speech_s - speech_s).abs() < TOLERANCE, "{} s, not {speech_s}", speaker.speech_s);
        assert_eq!(speaker.embedding.len(), embedding_dim);
        let length = speaker.embedding.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        assert!((length - 1.0).abs() < TOLERANCE, "{}: an embedding of length {length}", speaker.label);
    }
}
