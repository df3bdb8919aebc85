//! The answer of a stream that went over to another voice space: what was answered before the
//! border, and what the whole time after it comes to.

use super::Finished;
use super::crossing::Crossed;
use crate::types::{Diarization, Segment};

/// `answer`, whose times begin at the origin, as that of the time from the border on, in times of
/// the stream.
pub(super) fn after_border(crossed: &Crossed, mut answer: Diarization) -> Diarization {
    let (origin_s, border_s) = (crossed.origin_s(), crossed.border_s());
    for segment in &mut answer.segments {
        segment.start_s = (segment.start_s + origin_s).max(border_s);
        segment.end_s += origin_s;
    }
    answer.segments.retain(|segment| segment.end_s > segment.start_s);
    answer.duration_s += origin_s;
    answer
}

/// What was answered before the border with `answer` after it. `same` says for each speaker of the
/// stream who that is in `answer`; `voice` is that of a speaker of the stream.
pub(super) fn joined(
    crossed: &Crossed,
    answer: Diarization,
    mut same: Vec<Option<usize>>,
    voice: impl Fn(usize) -> Vec<f32>,
) -> Finished {
    let mut voices: Vec<Vec<f32>> = answer.speakers.into_iter().map(|speaker| speaker.embedding).collect();
    let mut segments = Vec::new();
    for segment in &crossed.before {
        let Some(same) = same.get_mut(segment.speaker) else { continue };
        let speaker = *same.get_or_insert_with(|| {
            voices.push(voice(segment.speaker));
            voices.len() - 1
        });
        segments.push(Segment { speaker, ..*segment });
    }
    segments.extend(answer.segments);
    segments.sort_by(|a, b| a.start_s.total_cmp(&b.start_s).then(a.end_s.total_cmp(&b.end_s)));
    let mut segments = apart(segments, voices.len());
    // Speakers are numbered as they appear, and who does not appear is none.
    let mut numbers: Vec<Option<usize>> = vec![None; voices.len()];
    let mut named = Vec::new();
    for segment in &mut segments {
        let old = segment.speaker;
        segment.speaker = *numbers[old].get_or_insert_with(|| {
            named.push(std::mem::take(&mut voices[old]));
            named.len() - 1
        });
    }
    segments.sort_by(|a, b| {
        let times = a.start_s.total_cmp(&b.start_s).then(a.end_s.total_cmp(&b.end_s));
        times.then(a.speaker.cmp(&b.speaker))
    });
    let (voice_space, warnings) = (answer.voice_space, answer.warnings);
    let whole = Diarization::of_parts(answer.duration_s, segments, named);
    Finished {
        diarization: Diarization { voice_space, warnings, ..whole },
        final_speakers: same.into_iter().map(|speaker| speaker.and_then(|old| numbers[old])).collect(),
    }
}

/// Segments by their start, those of one speaker apart from each other: what was cut at the border,
/// or of two speakers who are one, is put together.
fn apart(segments: Vec<Segment>, speakers: usize) -> Vec<Segment> {
    let mut last: Vec<Option<usize>> = vec![None; speakers];
    let mut apart: Vec<Segment> = Vec::new();
    for segment in segments {
        let before = last[segment.speaker].and_then(|place| apart.get_mut(place));
        match before.filter(|before| before.end_s >= segment.start_s) {
            Some(before) => {
                let (old, new) = (before.end_s - before.start_s, segment.end_s - segment.start_s);
                let sum = f64::from(before.confidence) * old + f64::from(segment.confidence) * new;
                before.confidence = (sum / (old + new)) as f32;
                before.end_s = before.end_s.max(segment.end_s);
                before.overlap |= segment.overlap;
            }
            None => {
                last[segment.speaker] = Some(apart.len());
                apart.push(segment);
            }
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start_s: f64, end_s: f64, speaker: usize) -> Segment {
        Segment { start_s, end_s, speaker, confidence: 0.5, overlap: false }
    }

    fn spans(found: &Diarization) -> Vec<(f64, f64, usize)> {
        found.segments.iter().map(|segment| (segment.start_s, segment.end_s, segment.speaker)).collect()
    }

    #[test]
    fn speakers_before_and_after_the_border_are_the_same() {
        let crossed = Crossed {
            origin: 8 * 16_000,
            border: 10 * 16_000,
            before: vec![segment(0.0, 3.0, 0), segment(4.0, 6.0, 1), segment(7.0, 10.0, 2)],
        };
        // Number 2 goes on, number 0 comes again, number 1 does not; somebody new comes at last.
        let parts = vec![segment(0.0, 4.0, 0), segment(5.0, 6.0, 1), segment(7.0, 8.0, 2)];
        let answer = Diarization::of_parts(9.0, parts, vec![vec![0.2], vec![0.0], vec![0.9]]);
        let answer = after_border(&crossed, answer);
        assert_eq!(spans(&answer), [(10.0, 12.0, 0), (13.0, 14.0, 1), (15.0, 16.0, 2)]);
        let same = vec![Some(1), None, Some(0)];
        let Finished { diarization, final_speakers } =
            joined(&crossed, answer, same, |speaker| vec![speaker as f32]);
        let expected = [(0.0, 3.0, 0), (4.0, 6.0, 1), (7.0, 12.0, 2), (13.0, 14.0, 0), (15.0, 16.0, 3)];
        assert_eq!(spans(&diarization), expected);
        assert_eq!(final_speakers, [Some(0), Some(1), Some(2)]);
        assert_eq!(diarization.duration_s, 17.0);
        let speakers: Vec<_> = diarization.speakers.iter().map(|it| (it.embedding[0], it.speech_s)).collect();
        assert_eq!(speakers, [(0.0, 4.0), (1.0, 2.0), (0.2, 5.0), (0.9, 1.0)]);
    }

    #[test]
    fn two_who_turn_out_to_be_one_do_not_overlap() {
        let before = vec![segment(0.0, 3.0, 0), segment(2.0, 5.0, 1), segment(6.0, 7.0, 1)];
        let crossed = Crossed { origin: 0, border: 8 * 16_000, before };
        let answer = Diarization::of_parts(9.0, vec![segment(8.0, 9.0, 0)], vec![vec![1.0]]);
        let found = joined(&crossed, answer, vec![Some(0), Some(0)], |_| Vec::new());
        assert_eq!(spans(&found.diarization), [(0.0, 5.0, 0), (6.0, 7.0, 0), (8.0, 9.0, 0)]);
        assert_eq!(found.final_speakers, [Some(0), Some(0)]);
    }
}
