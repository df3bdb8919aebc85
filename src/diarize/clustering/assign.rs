//! Gives tracks to the speakers found.

use ndarray::{Array2, ArrayView1};

use super::CLUSTERING;
use super::options::Assignment;
use super::tracks::Track;
use super::voices::cosine_distance;
use crate::assignment::assign;
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// Tracks between two looks at deadline and cancellation; with hundreds of speakers some
/// milliseconds.
const CHECK_EVERY: usize = 64;

/// The speaker of each track, `None` only where there is no speaker. `directions` are the voices of
/// `tracks`, `centroids` those of the speakers, all scaled to unit length:
/// [tracks or speakers, dimension].
pub fn assign_tracks(
    tracks: &[Track<'_>],
    directions: &Array2<f32>,
    centroids: &Array2<f32>,
    assignment: Assignment,
    call: &Call<'_>,
) -> Result<Vec<Option<usize>>> {
    let mut speaker_of = memory::filled(CLUSTERING, tracks.len(), None)?;
    let mut start = 0;
    let mut checked = 0;
    for of_window in tracks.chunk_by(|a, b| a.window == b.window) {
        if start >= checked {
            // The linkage before has reported all of the stage.
            call.check(Stage::Clustering, 1.0)?;
            checked = start + CHECK_EVERY;
        }
        let voiced: Vec<usize> =
            (start..start + of_window.len()).filter(|&index| tracks[index].has_voice).collect();
        start += of_window.len();
        match assignment {
            Assignment::Constrained => {
                let distance = |row: usize, speaker: usize| {
                    cosine_distance(directions.row(voiced[row]), centroids.row(speaker))
                };
                let speakers = assign(voiced.len(), centroids.nrows(), |r, s| f64::from(distance(r, s)));
                for (&index, speaker) in voiced.iter().zip(speakers) {
                    speaker_of[index] = speaker;
                }
            }
            Assignment::Nearest => {
                for index in voiced {
                    speaker_of[index] = nearest(directions.row(index), centroids, &[]);
                }
            }
        }
    }
    assign_rest(tracks, directions, &mut speaker_of, centroids, call)?;
    Ok(speaker_of)
}

/// Gives every track without a speaker the nearest one, if possible one that no other track of its
/// window has. Tracks without a voice come last: they are near to none, and take the first that is
/// left.
///
/// # Errors
/// Those of [`Call::check`].
pub fn assign_rest(
    tracks: &[Track<'_>],
    directions: &Array2<f32>,
    speaker_of: &mut [Option<usize>],
    centroids: &Array2<f32>,
    call: &Call<'_>,
) -> Result<()> {
    for voiced in [true, false] {
        for (index, track) in tracks.iter().enumerate() {
            if index.is_multiple_of(CHECK_EVERY) {
                call.check(Stage::Clustering, 1.0)?;
            }
            if track.has_voice != voiced {
                continue;
            }
            if speaker_of[index].is_some() {
                continue;
            }
            let same_window = |other: &usize| tracks[*other].window == track.window;
            let before = (0..index).rev().take_while(same_window);
            let after = (index + 1..tracks.len()).take_while(same_window);
            let taken: Vec<usize> = before.chain(after).filter_map(|other| speaker_of[other]).collect();
            let voice = directions.row(index);
            speaker_of[index] = nearest(voice, centroids, &taken).or_else(|| nearest(voice, centroids, &[]));
        }
    }
    Ok(())
}

/// The speaker with the smallest cosine distance who is not in `taken`; the first of equals.
fn nearest(direction: ArrayView1<'_, f32>, centroids: &Array2<f32>, taken: &[usize]) -> Option<usize> {
    (0..centroids.nrows())
        .filter(|speaker| !taken.contains(speaker))
        .map(|speaker| (cosine_distance(direction, centroids.row(speaker)), speaker))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, speaker)| speaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Speakers of one window whose local speakers have `voices`; zeros are no voice.
    fn assigned(voices: &Array2<f32>, assignment: Assignment) -> Vec<Option<usize>> {
        let tracks: Vec<Track<'_>> = voices
            .rows()
            .into_iter()
            .enumerate()
            .map(|(local, embedding)| {
                let has_voice = embedding.sum() != 0.0;
                Track { window: 0, local, solo_frames: 9, embedding, has_voice }
            })
            .collect();
        assign_tracks(&tracks, voices, &array![[1.0, 0.0], [0.0, 1.0]], assignment, &Call::none()).unwrap()
    }

    #[test]
    fn two_local_speakers_are_two_people_unless_the_nearest_is_asked_for() {
        let alike = array![[0.8, 0.6], [1.0, 0.0]];
        assert_eq!(assigned(&alike, Assignment::Constrained), [Some(1), Some(0)]);
        assert_eq!(assigned(&alike, Assignment::Nearest), [Some(0), Some(0)]);
    }

    #[test]
    fn one_too_many_joins_the_nearest() {
        let three = array![[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]];
        assert_eq!(assigned(&three, Assignment::Constrained), [Some(0), Some(0), Some(1)]);
    }

    #[test]
    fn a_track_without_a_voice_takes_who_is_left() {
        for assignment in [Assignment::Constrained, Assignment::Nearest] {
            assert_eq!(assigned(&array![[0.0, 0.0], [0.8, 0.6]], assignment), [Some(1), Some(0)]);
        }
    }
}
