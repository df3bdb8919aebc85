//! Clustering of a whole recording: tracks with enough solo speech are clustered, the rest join the
//! nearest voice. Deterministic: the same windows give the same speakers.

use ndarray::Array2;

use super::CLUSTERING;
use super::assign::{assign_rest, assign_tracks};
use super::options::{Assignment, ClusteringOptions, Method, Start, Vbx};
use super::tracks::{Track, tracks_of};
use super::tree::{self, Linkage, tracks_in};
use super::voices::{directions, means, scale_to_unit, unit_rows};
use super::{linkage, vbx};
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::error::{Result, Stage};
use crate::memory;

/// Most tracks that are clustered with each other; of more, those with the most solo speech are
/// taken. Holds the distance matrix under 75 MB.
const MAX_CLUSTERED: usize = 6000;

/// Share of all tracks that a speaker of centroid linkage need not exceed, as in pyannote.audio
/// 3.1.
const LARGE_SHARE: f64 = 0.1;

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
/// Those of [`Call::check`]; [`Error::Model`](crate::Error::Model) for embeddings that the PLDA
/// model of [`Method::Vbx`] is not made for.
pub fn cluster(windows: &[LocalWindow], options: &ClusteringOptions, call: &Call<'_>) -> Result<Clustering> {
    call.check(Stage::Clustering, 0.0)?;
    let recording = RecordingTracks::new(windows, options, call)?;
    let (speaker_of, centroids) = match &options.method {
        Method::Average => recording.by_average(options, call)?,
        Method::AverageBySize { least_share } => {
            let least = tracks_in(*least_share, recording.chosen.len());
            recording.by_size(Linkage::Average, least, options, call)?
        }
        Method::Centroid { min_cluster_size } => {
            let least = tracks_in(LARGE_SHARE, recording.chosen.len()).min(*min_cluster_size);
            recording.by_size(Linkage::Centroid, least, options, call)?
        }
        Method::Vbx(vbx) => recording.by_vbx(vbx, options, call)?,
    };
    call.check(Stage::Clustering, 1.0)?;
    let labels = labels(windows, &recording.tracks, &speaker_of)?;
    Ok(Clustering { speakers: centroids.nrows(), labels, centroids })
}

/// Assigns the local speakers of windows that were not clustered to the speakers of `centroids`
/// [speakers, dimension], of unit length; two of one window to two speakers where there are as
/// many.
///
/// # Errors
/// Those of [`Call::check`].
pub fn label_by_centroids(
    windows: &[LocalWindow],
    centroids: &Array2<f32>,
    hysteresis: Hysteresis,
    call: &Call<'_>,
) -> Result<Vec<Vec<Option<usize>>>> {
    let tracks = tracks_of(windows, hysteresis, call)?;
    let voices = directions(&tracks)?;
    let speaker_of = assign_tracks(&tracks, &voices, centroids, Assignment::Constrained, call)?;
    labels(windows, &tracks, &speaker_of)
}

/// The speaker of each local speaker of each window.
fn labels(
    windows: &[LocalWindow],
    tracks: &[Track<'_>],
    speaker_of: &[Option<usize>],
) -> Result<Vec<Vec<Option<usize>>>> {
    let mut labels = memory::with_capacity(CLUSTERING, windows.len())?;
    for window in windows {
        labels.push(memory::filled(CLUSTERING, window.speakers(), None)?);
    }
    for (track, speaker) in tracks.iter().zip(speaker_of) {
        labels[track.window][track.local] = *speaker;
    }
    Ok(labels)
}

/// The speaker of each track, and the centroids, of unit length.
type Speakers = (Vec<Option<usize>>, Array2<f32>);

/// The tracks of a recording.
struct RecordingTracks<'a> {
    tracks: Vec<Track<'a>>,
    /// Their voices scaled to unit length: [tracks, dimension].
    voices: Array2<f32>,
    /// The tracks to cluster, ascending.
    chosen: Vec<usize>,
}

impl<'a> RecordingTracks<'a> {
    fn new(windows: &'a [LocalWindow], options: &ClusteringOptions, call: &Call<'_>) -> Result<Self> {
        let tracks = tracks_of(windows, options.hysteresis, call)?;
        Ok(Self { voices: directions(&tracks)?, chosen: trusted(&tracks, options)?, tracks })
    }

    /// The voices of the tracks to cluster, scaled to unit length.
    fn chosen_voices(&self) -> Result<Array2<f32>> {
        let mut voices = memory::array(CLUSTERING, (self.chosen.len(), self.voices.ncols()), 0.0)?;
        for (mut row, &index) in voices.rows_mut().into_iter().zip(&self.chosen) {
            row.assign(&self.voices.row(index));
        }
        Ok(voices)
    }

    /// The voices of the tracks to cluster, as the model gave them.
    fn chosen_embeddings(&self) -> Result<Array2<f32>> {
        let mut embeddings = memory::array(CLUSTERING, (self.chosen.len(), self.voices.ncols()), 0.0)?;
        for (mut row, &index) in embeddings.rows_mut().into_iter().zip(&self.chosen) {
            row.assign(&self.tracks[index].embedding);
        }
        Ok(embeddings)
    }

    /// The tracks to cluster keep their clusters, the rest join them.
    fn by_average(&self, options: &ClusteringOptions, call: &Call<'_>) -> Result<Speakers> {
        let range = (options.min_speakers, options.max_speakers);
        let numbers = self.linked(options.threshold, range, call)?;
        let mut speaker_of = memory::filled(CLUSTERING, self.tracks.len(), None)?;
        for (&index, &number) in self.chosen.iter().zip(&numbers) {
            speaker_of[index] = Some(number);
        }
        let speakers = dissolve_small(&self.tracks, &mut speaker_of, options);
        let centroids = mean_voices(&self.tracks, &self.voices, &speaker_of, speakers)?;
        assign_rest(&self.tracks, &self.voices, &mut speaker_of, &centroids, call)?;
        Ok((speaker_of, centroids))
    }

    /// The tracks to cluster make speakers of at least `least` of them, who get all tracks.
    fn by_size(
        &self,
        linkage: Linkage,
        least: usize,
        options: &ClusteringOptions,
        call: &Call<'_>,
    ) -> Result<Speakers> {
        let members = self.chosen_voices()?;
        let range = (options.min_speakers, options.max_speakers);
        let numbers = tree::agglomerate(members.view(), linkage, options.threshold, least, range, call)?;
        let speakers = numbers.iter().max().map_or(0, |last| last + 1);
        let centroids = means(self.chosen_embeddings()?.view(), &numbers, speakers)?;
        self.assign(&centroids, options.assignment, call)
    }

    /// Clusters of the tracks to cluster by average linkage, two speakers of one window apart.
    fn linked(&self, threshold: f32, (min, max): (usize, usize), call: &Call<'_>) -> Result<Vec<usize>> {
        let windows =
            memory::collected(CLUSTERING, self.chosen.iter().map(|&index| self.tracks[index].window))?;
        linkage::agglomerate(&windows, self.chosen_voices()?.view(), threshold, min, max, call)
    }

    /// Where average linkage starts it, it also does without VBx for few tracks, and gives the
    /// number of speakers asked for if VBx finds another.
    fn by_vbx(&self, vbx: &Vbx, options: &ClusteringOptions, call: &Call<'_>) -> Result<Speakers> {
        if vbx.start() == Start::Average && self.chosen.len() < vbx.least_tracks() {
            return self.by_average(options, call);
        }
        let (embeddings, members) = (self.chosen_embeddings()?, self.chosen_voices()?);
        let range = (options.min_speakers, options.max_speakers);
        let start = match vbx.start() {
            Start::Centroid => vbx::centroid_start(members.view(), options.threshold, call)?,
            Start::Average => self.linked(options.threshold, (1, vbx::MAX_STARTS), call)?,
        };
        let found = vbx::speakers(embeddings.view(), members.view(), vbx, &start, range, call)?;
        if found.forced && vbx.start() == Start::Average {
            return self.by_average(options, call);
        }
        // As pyannote.audio has it: a forced number of speakers may be too small for the local ones
        // of a window.
        let assignment = if found.forced { Assignment::Nearest } else { options.assignment };
        self.assign(&found.centroids, assignment, call)
    }

    /// Gives all tracks, those clustered too, to the centroids, [speakers, dimension].
    fn assign(&self, centroids: &Array2<f64>, assignment: Assignment, call: &Call<'_>) -> Result<Speakers> {
        let centroids = unit_rows(centroids)?;
        let speaker_of = assign_tracks(&self.tracks, &self.voices, &centroids, assignment, call)?;
        drop_unused(speaker_of, &centroids)
    }
}

/// Renumbers the speakers without those who have no track.
fn drop_unused(mut speaker_of: Vec<Option<usize>>, centroids: &Array2<f32>) -> Result<Speakers> {
    let used: Vec<usize> = (0..centroids.nrows()).filter(|&s| speaker_of.contains(&Some(s))).collect();
    for speaker in &mut speaker_of {
        *speaker = speaker.and_then(|old| used.iter().position(|&kept| kept == old));
    }
    let mut kept = memory::array(CLUSTERING, (used.len(), centroids.ncols()), 0.0)?;
    for (mut row, &speaker) in kept.rows_mut().into_iter().zip(&used) {
        row.assign(&centroids.row(speaker));
    }
    Ok((speaker_of, kept))
}

/// Indices, ascending, of the tracks to cluster: those with a voice and enough solo speech, but at
/// least as many as speakers are asked for, and at least one, where as many have a voice.
fn trusted(tracks: &[Track<'_>], options: &ClusteringOptions) -> Result<Vec<usize>> {
    let voiced = (0..tracks.len()).filter(|&index| tracks[index].has_voice);
    let mut order = memory::collected(CLUSTERING, voiced)?;
    // No two keys are alike, and this sort takes no memory.
    order.sort_unstable_by_key(|&index| (std::cmp::Reverse(tracks[index].solo_frames), index));
    let enough = order.iter().take_while(|&&i| tracks[i].solo_frames >= options.trusted_frames).count();
    order.truncate(enough.max(options.min_speakers).clamp(1, MAX_CLUSTERED));
    order.sort_unstable();
    Ok(order)
}

/// Takes the label from the tracks of speakers with too little speech, smallest first, and
/// renumbers the rest. Returns the number of speakers left, at least the minimum asked for where
/// there were as many.
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

/// Mean of each speaker's voices, weighted by their solo speech, scaled to unit length.
fn mean_voices(
    tracks: &[Track<'_>],
    voices: &Array2<f32>,
    speaker_of: &[Option<usize>],
    speakers: usize,
) -> Result<Array2<f32>> {
    let mut sums = memory::array(CLUSTERING, (speakers, voices.ncols()), 0.0_f32)?;
    for ((track, voice), speaker) in tracks.iter().zip(voices.rows()).zip(speaker_of) {
        if let Some(speaker) = *speaker {
            sums.row_mut(speaker).scaled_add((track.solo_frames + 1) as f32, &voice);
        }
    }
    for row in sums.rows_mut() {
        scale_to_unit(row);
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

    fn options() -> ClusteringOptions {
        ClusteringOptions {
            method: Method::Average,
            threshold: 0.4,
            min_speakers: 1,
            max_speakers: 100,
            trusted_frames: 10,
            least_speaker_frames: 15,
            assignment: Assignment::Constrained,
            hysteresis: HYSTERESIS,
        }
    }

    /// A window in which local speaker `s` talks alone for `frames[s]` frames with the voice at
    /// `degrees[s]`.
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
        let result = cluster(&windows, &options(), &Call::none()).unwrap();
        assert_eq!(result.speakers, 2);
        assert_eq!(result.labels, [[Some(0), Some(1)], [Some(1), Some(0)]]);
    }

    #[test]
    fn a_short_track_joins_the_nearest_voice_not_yet_in_its_window() {
        let windows = [window(&[30, 30], &[0.0, 90.0]), window(&[30, 5], &[2.0, 40.0])];
        let result = cluster(&windows, &options(), &Call::none()).unwrap();
        assert_eq!(result.labels[1], [Some(0), Some(1)]);
    }

    #[test]
    fn one_voice_that_a_window_has_twice_is_one_speaker_by_size() {
        let windows =
            [window(&[30, 30], &[0.0, 90.0]), window(&[30, 30], &[2.0, 3.0]), window(&[30], &[91.0])];
        let by_size = ClusteringOptions { method: Method::AverageBySize { least_share: 0.2 }, ..options() };
        assert_eq!(cluster(&windows, &by_size, &Call::none()).unwrap().speakers, 2);
        // Where a speaker must have most of the tracks, one remains.
        let large = ClusteringOptions { method: Method::AverageBySize { least_share: 0.6 }, ..options() };
        assert_eq!(cluster(&windows, &large, &Call::none()).unwrap().speakers, 1);
        let two = ClusteringOptions { min_speakers: 2, ..large };
        assert_eq!(cluster(&windows, &two, &Call::none()).unwrap().speakers, 2);
    }

    #[test]
    fn a_speaker_with_too_little_speech_is_dissolved_unless_asked_for() {
        let windows = [window(&[60], &[0.0]), window(&[12], &[90.0])];
        assert_eq!(cluster(&windows, &options(), &Call::none()).unwrap().speakers, 1);
        let exact = ClusteringOptions { min_speakers: 2, ..options() };
        assert_eq!(cluster(&windows, &exact, &Call::none()).unwrap().speakers, 2);
    }

    #[test]
    fn speech_too_short_to_be_trusted_is_still_somebody() {
        let none_wanted = ClusteringOptions { min_speakers: 0, ..options() };
        let result = cluster(&[window(&[5, 3], &[0.0, 90.0])], &none_wanted, &Call::none()).unwrap();
        assert_eq!((result.speakers, result.labels), (1, vec![vec![Some(0), Some(0)]]));
    }

    #[test]
    fn no_speech_is_no_speaker() {
        let silent = LocalWindow {
            start_frame: 0,
            activity: Array2::zeros((10, 3)),
            embedding: Array2::zeros((3, 2)),
        };
        let result = cluster(&[silent], &options(), &Call::none()).unwrap();
        assert_eq!((result.speakers, result.labels), (0, vec![vec![None, None, None]]));
        assert_eq!(cluster(&[], &options(), &Call::none()).unwrap().speakers, 0);
    }
}
