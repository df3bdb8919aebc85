//! Clustering of a whole recording: tracks with enough solo speech are clustered, the rest join the nearest
//! voice. Deterministic: the same windows give the same speakers.

use ndarray::{Array1, Array2};

use super::linkage::{agglomerate, cosine_distance};
use super::tracks::{Track, tracks_of};
use crate::control::Control;
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::error::{Result, Stage};

/// Most tracks that are clustered with each other; of more, those with the most solo speech are taken. Holds
/// the distance matrix under 75 MB.
const MAX_CLUSTERED: usize = 6000;

/// How speakers are clustered.
#[derive(Clone, Copy, Debug)]
pub struct ClusteringOptions {
    /// Cosine distance under which two clusters are one speaker, 0 to 2.
    pub threshold: f32,
    /// Fewest speakers, if there are as many tracks.
    pub min_speakers: usize,
    /// Most speakers.
    pub max_speakers: usize,
    /// Solo frames from which a track's voice is trusted enough to be clustered.
    pub trusted_frames: usize,
    /// Solo frames that a speaker has in all; the tracks of one with fewer join the nearest other speaker,
    /// as the minimum cluster size of pyannote.audio has it. The fewest speakers asked for are kept.
    pub least_speaker_frames: usize,
    /// When a local speaker talks.
    pub hysteresis: Hysteresis,
}

/// The speaker of each local speaker.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// Number of speakers.
    pub speakers: usize,
    /// For each window and local speaker the speaker, `None` where nobody talks.
    pub labels: Vec<Vec<Option<usize>>>,
    /// Mean voice of each speaker, unit length: [speakers, dimension].
    pub centroids: Array2<f32>,
}

/// Clusters the local speakers of all windows.
///
/// # Errors
/// Those of [`Control::check`].
pub fn cluster(
    windows: &[LocalWindow],
    options: &ClusteringOptions,
    control: &Control<'_>,
) -> Result<Clustering> {
    control.check(Stage::Clustering, 0.0)?;
    let tracks = tracks_of(windows, options.hysteresis);
    let chosen = trusted(&tracks, options);
    let members: Vec<&Track<'_>> = chosen.iter().map(|&index| &tracks[index]).collect();
    let numbers =
        agglomerate(&members, options.threshold, options.min_speakers, options.max_speakers, control)?;
    let mut speaker_of: Vec<Option<usize>> = vec![None; tracks.len()];
    for (&index, &number) in chosen.iter().zip(&numbers) {
        speaker_of[index] = Some(number);
    }
    let speakers = dissolve_small(&tracks, &mut speaker_of, options);
    let centroids = centroids(&tracks, &speaker_of, speakers);
    assign_rest(&tracks, &mut speaker_of, &centroids);
    control.check(Stage::Clustering, 1.0)?;

    let mut labels: Vec<Vec<Option<usize>>> = windows.iter().map(|w| vec![None; w.speakers()]).collect();
    for (track, speaker) in tracks.iter().zip(&speaker_of) {
        labels[track.window][track.local] = *speaker;
    }
    Ok(Clustering { speakers, labels, centroids })
}

/// Indices, ascending, of the tracks to cluster: those with enough solo speech, but at least as many as
/// speakers are asked for, and at least one.
fn trusted(tracks: &[Track<'_>], options: &ClusteringOptions) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(tracks[index].solo_frames), index));
    let enough = order.iter().take_while(|&&i| tracks[i].solo_frames >= options.trusted_frames).count();
    order.truncate(enough.max(options.min_speakers).clamp(1, MAX_CLUSTERED));
    order.sort_unstable();
    order
}

/// Takes the label from the tracks of speakers with too little speech, smallest first, and renumbers the
/// rest. Returns the number of speakers left, at least the minimum asked for where there were as many.
fn dissolve_small(
    tracks: &[Track<'_>],
    speaker_of: &mut [Option<usize>],
    options: &ClusteringOptions,
) -> usize {
    let count = speaker_of.iter().flatten().max().map_or(0, |last| last + 1);
    let mut frames = vec![0; count];
    for (track, speaker) in tracks.iter().zip(speaker_of.iter()) {
        if let Some(speaker) = *speaker {
            frames[speaker] += track.solo_frames;
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&speaker| (frames[speaker], std::cmp::Reverse(speaker)));
    let spare = count.saturating_sub(options.min_speakers.max(1));
    let gone: Vec<usize> =
        order.into_iter().take(spare).filter(|&s| frames[s] < options.least_speaker_frames).collect();
    let mut next = 0;
    let renumbered: Vec<Option<usize>> = (0..count)
        .map(|speaker| {
            (!gone.contains(&speaker)).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect();
    for speaker in speaker_of.iter_mut() {
        *speaker = speaker.and_then(|old| renumbered[old]);
    }
    next
}

/// Mean of each speaker's tracks, weighted by their solo speech, scaled to unit length.
fn centroids(tracks: &[Track<'_>], speaker_of: &[Option<usize>], speakers: usize) -> Array2<f32> {
    let dimension = tracks.first().map_or(0, |track| track.embedding.len());
    let mut sums = Array2::<f32>::zeros((speakers, dimension));
    for (track, speaker) in tracks.iter().zip(speaker_of) {
        if let Some(speaker) = *speaker {
            sums.row_mut(speaker).scaled_add((track.solo_frames + 1) as f32, &track.embedding);
        }
    }
    for mut row in sums.rows_mut() {
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
    sums
}

/// Gives every track without a speaker the nearest one, if possible one that no other track of its window
/// has.
fn assign_rest(tracks: &[Track<'_>], speaker_of: &mut [Option<usize>], centroids: &Array2<f32>) {
    for index in 0..tracks.len() {
        if speaker_of[index].is_some() {
            continue;
        }
        let track = &tracks[index];
        let same_window = |other: &usize| tracks[*other].window == track.window;
        let before = (0..index).rev().take_while(same_window);
        let after = (index + 1..tracks.len()).take_while(same_window);
        let taken: Vec<usize> = before.chain(after).filter_map(|other| speaker_of[other]).collect();
        speaker_of[index] = nearest(&track.embedding.to_owned(), centroids, &taken)
            .or_else(|| nearest(&track.embedding.to_owned(), centroids, &[]));
    }
}

/// The speaker with the smallest cosine distance who is not in `taken`; the first of equals.
fn nearest(embedding: &Array1<f32>, centroids: &Array2<f32>, taken: &[usize]) -> Option<usize> {
    (0..centroids.nrows())
        .filter(|speaker| !taken.contains(speaker))
        .map(|speaker| (cosine_distance(embedding.view(), centroids.row(speaker)), speaker))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, speaker)| speaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

    fn options() -> ClusteringOptions {
        ClusteringOptions {
            threshold: 0.4,
            min_speakers: 1,
            max_speakers: 100,
            trusted_frames: 10,
            least_speaker_frames: 15,
            hysteresis: HYSTERESIS,
        }
    }

    /// A window in which local speaker `s` talks alone for `frames[s]` frames with the voice at `degrees[s]`.
    fn window(frames: &[usize], degrees: &[f32]) -> LocalWindow {
        let mut activity = Array2::zeros((frames.iter().sum(), frames.len()));
        let mut embedding = Array2::zeros((frames.len(), 2));
        let mut at = 0;
        for (local, (&length, degree)) in frames.iter().zip(degrees).enumerate() {
            activity.slice_mut(ndarray::s![at..at + length, local]).fill(1.0);
            at += length;
            let radians = degree.to_radians();
            embedding.row_mut(local).assign(&ndarray::array![radians.cos(), radians.sin()]);
        }
        LocalWindow { start_frame: 0, activity, embedding }
    }

    #[test]
    fn speakers_keep_their_number_whatever_the_local_order() {
        let windows = [window(&[30, 30], &[0.0, 90.0]), window(&[30, 30], &[88.0, 3.0])];
        let result = cluster(&windows, &options(), &Control::none()).unwrap();
        assert_eq!(result.speakers, 2);
        assert_eq!(result.labels, [[Some(0), Some(1)], [Some(1), Some(0)]]);
    }

    #[test]
    fn a_short_track_joins_the_nearest_voice_not_yet_in_its_window() {
        let windows = [window(&[30, 30], &[0.0, 90.0]), window(&[30, 5], &[2.0, 40.0])];
        let result = cluster(&windows, &options(), &Control::none()).unwrap();
        assert_eq!(result.labels[1], [Some(0), Some(1)]);
    }

    #[test]
    fn a_speaker_with_too_little_speech_is_dissolved_unless_asked_for() {
        let windows = [window(&[60], &[0.0]), window(&[12], &[90.0])];
        assert_eq!(cluster(&windows, &options(), &Control::none()).unwrap().speakers, 1);
        let exact = ClusteringOptions { min_speakers: 2, ..options() };
        assert_eq!(cluster(&windows, &exact, &Control::none()).unwrap().speakers, 2);
    }

    #[test]
    fn speech_too_short_to_be_trusted_is_still_somebody() {
        let none_wanted = ClusteringOptions { min_speakers: 0, ..options() };
        let result = cluster(&[window(&[5, 3], &[0.0, 90.0])], &none_wanted, &Control::none()).unwrap();
        assert_eq!((result.speakers, result.labels), (1, vec![vec![Some(0), Some(0)]]));
    }

    #[test]
    fn no_speech_is_no_speaker() {
        let silent = LocalWindow {
            start_frame: 0,
            activity: Array2::zeros((10, 3)),
            embedding: Array2::zeros((3, 2)),
        };
        let result = cluster(&[silent], &options(), &Control::none()).unwrap();
        assert_eq!((result.speakers, result.labels), (0, vec![vec![None, None, None]]));
        assert_eq!(cluster(&[], &options(), &Control::none()).unwrap().speakers, 0);
    }
}
