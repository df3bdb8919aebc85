//! Where nobody speaks, nobody is found, whatever is asked for.

use voiceflow::Diarization;
use voiceflow::audio::{BufferSource, SAMPLE_RATE};

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::noise;

/// 10 ms, 3 s and 25 s: less than a frame, less than a window, several windows.
const LENGTHS: [usize; 3] = [160, 48_000, 400_000];

#[test]
fn no_audio_at_all() {
    let diarizer = diarizer(|_| {});
    let voice_space = Some(diarizer.model().voices());
    assert_eq!(diarize(&diarizer, &[]), Diarization { voice_space, ..Diarization::default() });
}

#[test]
fn less_than_one_sample_at_16_khz() {
    let mut source = BufferSource::from_f32(&[0.5], 192_000, 1).unwrap();
    let result = diarizer(|_| {}).process(&mut source, &voiceflow::Call::none()).unwrap();
    assert!(result.segments.is_empty());
}

#[test]
fn digital_silence() {
    let usual = diarizer(|_| {});
    let three = diarizer(|config| config.set_num_speakers(3).unwrap());
    for length in LENGTHS {
        for diarizer in [&usual, &three] {
            let result = diarize(diarizer, &vec![0.0; length]);
            assert!(result.segments.is_empty(), "{length} samples: {:?}", result.segments);
            assert!(result.speakers.is_empty());
            assert_eq!(result.duration_s, length as f64 / f64::from(SAMPLE_RATE));
        }
    }
}

#[test]
fn faint_noise_is_dealt_with() {
    let diarizer = diarizer(|_| {});
    for length in LENGTHS {
        diarize(&diarizer, &noise(length, 1e-4));
    }
}
