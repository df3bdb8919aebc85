//! The shortest turn and the shortest pause are what was asked for, between whole frames too.

use voiceflow::Diarization;

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::conversation;

/// Half a frame more than one frame of 40 ms, and lengths that take away much of the conversation.
const LENGTHS_S: [f64; 4] = [0.06, 0.05, 0.5, 1.3];
/// For the rounding of times.
const ROUNDING_S: f64 = 1e-9;

/// The shortest pause of any speaker.
fn shortest_pause_s(result: &Diarization) -> f64 {
    let mut shortest_s = f64::INFINITY;
    for speaker in 0..result.speakers.len() {
        let own: Vec<_> = result.segments.iter().filter(|segment| segment.speaker == speaker).collect();
        shortest_s = own.windows(2).map(|pair| pair[1].start_s - pair[0].end_s).fold(shortest_s, f64::min);
    }
    shortest_s
}

#[test]
fn min_speech() {
    for least_s in LENGTHS_S {
        let diarizer = diarizer(|config| config.set_min_speech(least_s).unwrap());
        for segment in diarize(&diarizer, conversation()).segments {
            assert!(segment.end_s - segment.start_s >= least_s - ROUNDING_S, "{least_s}: {segment:?}");
        }
    }
}

#[test]
fn min_silence() {
    for least_s in LENGTHS_S {
        let diarizer = diarizer(|config| config.set_min_silence(least_s).unwrap());
        let shortest_s = shortest_pause_s(&diarize(&diarizer, conversation()));
        assert!(shortest_s >= least_s - ROUNDING_S, "{least_s}: {shortest_s}");
    }
}

#[test]
fn a_min_speech_that_nobody_reaches() {
    let nobody = diarizer(|config| config.set_min_speech(60.0).unwrap());
    assert!(diarize(&nobody, conversation()).segments.is_empty());
    let two = diarizer(|config| {
        config.set_min_speech(60.0).unwrap();
        config.set_num_speakers(2).unwrap();
    });
    assert_eq!(diarize(&two, conversation()).speakers.len(), 2);
}
