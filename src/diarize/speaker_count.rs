//! Sees to it that a recording has as many speakers as the caller knows there are, also where
//! reconstruction left one without a frame, or where there is too little speech to separate voices.

use super::LocalWindow;
use super::activity::Hysteresis;
use super::clustering::Clustering;
use super::timeline::{self, FrameTurn};
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// Gives back the turns of speakers who lost all their frames to others, until `least` speakers
/// have turns: each gets the longest run of frames in which one of their tracks talks, taken from
/// whoever had it but would keep other frames.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn restore_speakers(
    turns: Vec<FrameTurn>,
    windows: &[LocalWindow],
    clustering: &Clustering,
    hysteresis: Hysteresis,
    total_frames: usize,
    least: usize,
    call: &Call<'_>,
) -> Result<Vec<FrameTurn>> {
    let mut turns = turns;
    for speaker in 0..clustering.speakers {
        call.check(Stage::Reconstruction, 1.0)?;
        if present(&turns) >= least {
            break;
        }
        if turns.iter().any(|turn| turn.speaker == speaker) {
            continue;
        }
        if let Some(run) = longest_run(windows, clustering, hysteresis, total_frames, speaker)? {
            turns = give(turns, run)?;
        }
    }
    Ok(turns)
}

/// Divides the longest turns until there are `least` speakers: the last resort for a recording with
/// fewer tracks than speakers. A recording with fewer frames of speech than speakers has as many
/// speakers as frames. Returns the turns and, for every speaker from `known` on, the speaker whose
/// turn it came from.
pub fn divide_turns(
    turns: Vec<FrameTurn>,
    known: usize,
    least: usize,
    call: &Call<'_>,
) -> Result<(Vec<FrameTurn>, Vec<usize>)> {
    let mut turns = turns;
    let mut origin = Vec::new();
    while present(&turns) < least {
        call.check(Stage::Reconstruction, 1.0)?;
        let Some(longest) =
            turns.iter_mut().max_by_key(|turn| (turn.frames(), std::cmp::Reverse(turn.start)))
        else {
            break;
        };
        if longest.frames() < 2 {
            break;
        }
        let middle = longest.start + longest.frames() / 2;
        let mut second = longest.clone();
        second.start = middle;
        second.speaker = known + origin.len();
        second.probability /= 2.0;
        second.voted = (longest.voted / 2).max(1);
        longest.end = middle;
        longest.probability /= 2.0;
        longest.voted = (longest.voted / 2).max(1);
        origin.push(longest.speaker);
        turns.push(second);
    }
    timeline::sort(&mut turns);
    Ok((turns, origin))
}

/// Number of speakers with turns.
fn present(turns: &[FrameTurn]) -> usize {
    let mut speakers: Vec<usize> = turns.iter().map(|turn| turn.speaker).collect();
    speakers.sort_unstable();
    speakers.dedup();
    speakers.len()
}

fn longest_run(
    windows: &[LocalWindow],
    clustering: &Clustering,
    hysteresis: Hysteresis,
    total_frames: usize,
    speaker: usize,
) -> Result<Option<FrameTurn>> {
    let mut best: Option<FrameTurn> = None;
    for (window, labels) in windows.iter().zip(&clustering.labels) {
        for local in (0..window.speakers()).filter(|&local| labels[local] == Some(speaker)) {
            let activity = window.speaker_activity(local);
            let mut builder = timeline::TurnBuilder::default();
            for (frame, talks) in hysteresis.apply(activity).into_iter().enumerate() {
                if talks && window.start_frame + frame < total_frames {
                    builder.mark(speaker, window.start_frame + frame, activity[frame])?;
                }
            }
            for run in builder.finish()? {
                if best.as_ref().is_none_or(|best| run.frames() > best.frames()) {
                    best = Some(run);
                }
            }
        }
    }
    Ok(best)
}

/// Adds `run`, and takes its frames from the turns of speakers who keep others.
fn give(turns: Vec<FrameTurn>, run: FrameTurn) -> Result<Vec<FrameTurn>> {
    // Each of the turns is kept or cut in two, and the run comes to them.
    let mut result = memory::with_capacity("turns", 2 * turns.len() + 1)?;
    for turn in &turns {
        let outside = |other: &FrameTurn| {
            other.speaker == turn.speaker && (other.start < run.start || other.end > run.end)
        };
        if turn.end <= run.start || turn.start >= run.end || !turns.iter().any(outside) {
            result.push(turn.clone());
            continue;
        }
        for (start, end) in [(turn.start, turn.end.min(run.start)), (turn.start.max(run.end), turn.end)] {
            if start < end {
                let share = (end - start) as f32 / turn.frames() as f32;
                let voted = ((turn.voted as f32 * share) as usize).max(1);
                let probability = turn.confidence() * voted as f32;
                result.push(FrameTurn { speaker: turn.speaker, start, end, probability, voted });
            }
        }
    }
    result.push(run);
    timeline::sort(&mut result);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn turn(speaker: usize, start: usize, end: usize) -> FrameTurn {
        FrameTurn { speaker, start, end, probability: (end - start) as f32, voted: end - start }
    }

    #[test]
    fn a_speaker_without_frames_gets_their_longest_run_back() {
        let mut activity = Array2::zeros((10, 2));
        activity.column_mut(0).fill(0.9);
        activity.slice_mut(ndarray::s![4..7, 1]).fill(0.6);
        let windows = [LocalWindow { start_frame: 0, activity, embedding: Array2::ones((2, 2)) }];
        let clustering =
            Clustering { speakers: 2, labels: vec![vec![Some(0), Some(1)]], centroids: Array2::ones((2, 2)) };
        let hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };
        let turns =
            restore_speakers(vec![turn(0, 0, 10)], &windows, &clustering, hysteresis, 10, 2, &Call::none())
                .unwrap();
        let spans: Vec<_> = turns.iter().map(|t| (t.speaker, t.start, t.end)).collect();
        assert_eq!(spans, [(0, 0, 4), (1, 4, 7), (0, 7, 10)]);
    }

    #[test]
    fn turns_are_divided_until_there_are_enough_speakers() {
        let (turns, origin) =
            divide_turns(vec![turn(0, 0, 8), turn(0, 10, 12)], 1, 3, &Call::none()).unwrap();
        assert_eq!(present(&turns), 3);
        assert_eq!(origin, [0, 0]);
        assert!(turns.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    #[test]
    fn one_frame_of_speech_is_one_speaker() {
        let (turns, _) = divide_turns(vec![turn(0, 3, 4)], 1, 5, &Call::none()).unwrap();
        assert_eq!(present(&turns), 1);
        assert!(divide_turns(Vec::new(), 0, 2, &Call::none()).unwrap().0.is_empty());
    }
}
