//! Clustering of a stream: each window's local speakers are assigned to the speakers so far, or
//! become new ones, as the window comes. An index once given is that speaker's for as long as the
//! stream lives.
//!
//! Centroids, the constraint that two local speakers are two speakers, and the distance from which
//! an embedding is a new speaker's are those of incremental clustering in diart (Coria et al.,
//! "Overlap-aware low-latency online speaker diarization based on end-to-end local segmentation",
//! ASRU 2021). Beyond it, what is remembered is clustered anew every few windows: who was taken for
//! two speakers becomes one again, and centroids are means over clusters, not over what happened to
//! be said first. Forgetting is that of the memory, which holds the last windows only.

use std::collections::VecDeque;

use ndarray::{Array1, Array2, ArrayView1};

use super::offline::{Clustering, cluster};
use super::options::{Assignment, ClusteringOptions, Method};
use super::tracks::solo_frames;
use super::voices::{cosine_distance, scale_to_unit};
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::error::Result;

/// How the speakers of a stream are clustered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnlineOptions {
    /// Cosine distance, 0 to 2, from all known voices at which a voice is a new one.
    pub new_threshold: f32,
    /// Cosine distance, 0 to 2, under which two clusters of remembered tracks are one speaker.
    pub link_threshold: f32,
    /// Most speakers at a time; beyond them a track joins the nearest.
    pub max_speakers: usize,
    /// Solo frames of a window from which its voice counts in full, and may be a new one.
    pub trusted_frames: usize,
    /// Solo frames of a remembered cluster from which it may be somebody new.
    pub founding_frames: usize,
    /// Windows from one clustering of the memory to the next; one of them is remembered.
    pub remember_every: usize,
    /// Windows that are remembered.
    pub memory: usize,
    /// When a local speaker talks.
    pub hysteresis: Hysteresis,
}

/// Least weight of an embedding: of equally unlikely speakers the nearest is taken.
const LEAST_TRUST: f32 = 0.01;

/// Most indices that a stream gives to speakers.
const MAX_NUMBERS: usize = 1000;

/// Solo frames that a track without any counts for when clusters are matched with speakers.
const SILENT_FRAMES: f64 = 0.1;

/// A speaker of the stream.
#[derive(Clone, Debug)]
struct KnownSpeaker {
    /// Unit length.
    voice: Array1<f32>,
    /// Whether they may be given a window: not after what is remembered of them turned out to be
    /// another's.
    known: bool,
    /// Whether a cluster of the memory ever was theirs.
    established: bool,
}

/// The speakers of a stream so far.
#[derive(Clone, Debug)]
pub struct OnlineClustering {
    options: OnlineOptions,
    known: Vec<KnownSpeaker>,
    windows: VecDeque<LocalWindow>,
    /// The speakers that the local speakers of the remembered windows were assigned to when they
    /// came.
    labels: VecDeque<Vec<Option<usize>>>,
    /// Windows added.
    added: usize,
}

/// A local speaker who talks.
struct Talker {
    local: usize,
    solo_frames: usize,
    voice: Option<Array1<f32>>,
}

impl OnlineClustering {
    /// Nobody is known yet.
    pub fn new(options: OnlineOptions) -> Self {
        let (windows, labels) = (VecDeque::new(), VecDeque::new());
        Self { options, known: Vec::new(), windows, labels, added: 0 }
    }

    /// These speakers are known, by voices of unit length; `None` is a number that means nobody. A
    /// voice has `dim` values. `heard` is remembered: windows with the speakers of their local
    /// speakers, without which the first words that are said would decide what a voice is.
    pub fn knowing(
        options: OnlineOptions,
        voices: Vec<Option<Array1<f32>>>,
        heard: Vec<(LocalWindow, Vec<Option<usize>>)>,
        dim: usize,
    ) -> Self {
        let speaker = |voice: Option<Array1<f32>>| KnownSpeaker {
            known: voice.is_some(),
            established: voice.is_some(),
            voice: voice.unwrap_or_else(|| Array1::zeros(dim)),
        };
        let (windows, labels) = heard.into_iter().unzip();
        Self { known: voices.into_iter().map(speaker).collect(), windows, labels, ..Self::new(options) }
    }

    /// Goes on with other options: of a model with the same voices and frames.
    pub fn set_options(&mut self, options: OnlineOptions) {
        self.options = options;
    }

    /// Number of speakers so far.
    pub fn speakers(&self) -> usize {
        self.known.len()
    }

    /// Whether a window may be given to a speaker: not to one who turned out to be another.
    pub fn is_known(&self, speaker: usize) -> bool {
        self.known.get(speaker).is_some_and(|speaker| speaker.known)
    }

    /// The newest embedding of a speaker, unit length; zeros for a number that means nobody.
    pub fn voice(&self, speaker: usize) -> Option<ArrayView1<'_, f32>> {
        self.known.get(speaker).map(|speaker| speaker.voice.view())
    }

    /// The speaker of each local speaker of the next window: `None` for one who is silent, or of
    /// whom there is too little to be anybody. `talking` has for each local speaker the frames in
    /// which they talk.
    ///
    /// # Errors
    /// Those of [`cluster`].
    pub fn add(&mut self, window: &LocalWindow, talking: &[Vec<bool>]) -> Result<Vec<Option<usize>>> {
        let talkers = talkers(window, talking);
        let remember = self.added.is_multiple_of(self.options.remember_every.max(1));
        let earlier = self.known.len();
        let labels = self.assign(&talkers, talking.len());
        if !remember {
            self.added += 1;
            return Ok(labels);
        }
        if let Err(error) = self.remember(window, labels, earlier) {
            // The window may be added again.
            self.known.truncate(earlier);
            return Err(error);
        }
        self.added += 1;
        Ok(self.assign(&talkers, talking.len()))
    }

    /// Assigns talkers to speakers, new ones among them: the likeliest pair first, so that a track
    /// with much solo speech never makes room for one with little.
    fn assign(&mut self, talkers: &[Talker], locals: usize) -> Vec<Option<usize>> {
        let costs = self.costs(talkers);
        let known = self.known.len();
        let mut pairs: Vec<(usize, usize)> =
            costs.indexed_iter().filter(|(_, cost)| cost.is_finite()).map(|(pair, _)| pair).collect();
        pairs.sort_by(|a, b| costs[*a].total_cmp(&costs[*b]).then(a.cmp(b)));
        let mut labels = vec![None; locals];
        let mut taken = vec![false; costs.ncols()];
        for (row, column) in pairs {
            let Talker { local, voice, .. } = &talkers[row];
            if labels[*local].is_some() || std::mem::replace(&mut taken[column], true) {
                continue;
            }
            labels[*local] = match voice {
                _ if column < known => Some(column),
                Some(voice) => Some(self.found_speaker(voice.clone())),
                None => None,
            };
        }
        labels
    }

    /// How many more speakers there may be. Who turned out to be another takes no place, but keeps
    /// the number.
    fn room(&self) -> usize {
        let known = self.known.iter().filter(|speaker| speaker.known).count();
        let most = self.options.max_speakers.saturating_sub(known);
        most.min(MAX_NUMBERS.saturating_sub(self.known.len()))
    }

    /// Adds a speaker.
    fn found_speaker(&mut self, voice: Array1<f32>) -> usize {
        self.known.push(KnownSpeaker { voice, known: true, established: false });
        self.known.len() - 1
    }

    /// What it costs that a talker is each of the speakers, or each of as many new ones, infinite
    /// where it may not be: [talkers, speakers].
    fn costs(&self, talkers: &[Talker]) -> Array2<f32> {
        let options = &self.options;
        let count = self.known.len();
        let room = self.room();
        let nobody = self.known.iter().all(|speaker| !speaker.known);
        let threshold = options.new_threshold;
        Array2::from_shape_fn((talkers.len(), count + talkers.len()), |(row, column)| {
            let talker = &talkers[row];
            let share = talker.solo_frames as f32 / options.trusted_frames.max(1) as f32;
            match (self.known.get(column), &talker.voice) {
                // The embedding of little speech is unreliable: the distance is drawn to the
                // threshold.
                (Some(speaker), Some(voice)) if speaker.known => {
                    let distance = cosine_distance(voice.view(), speaker.voice.view());
                    threshold + share.clamp(LEAST_TRUST, 1.0) * (distance - threshold)
                }
                (Some(speaker), None) if speaker.known => threshold,
                // A new speaker is founded by their own row only, and where there is room.
                (None, Some(_)) if column - count == row && row < room && (nobody || share >= 1.0) => {
                    threshold
                }
                _ => f32::INFINITY,
            }
        })
    }

    /// Adds a window to the memory and clusters it anew. The first `earlier` speakers were there
    /// before the window. After an error the memory is as before.
    fn remember(&mut self, window: &LocalWindow, labels: Vec<Option<usize>>, earlier: usize) -> Result<()> {
        let window = window.try_clone()?;
        let full = self.windows.len() >= self.options.memory.max(1);
        let oldest = if full { self.windows.pop_front() } else { None };
        self.windows.push_back(window);
        let options = ClusteringOptions {
            method: Method::Average,
            threshold: self.options.link_threshold,
            min_speakers: 0,
            max_speakers: self.options.max_speakers,
            trusted_frames: self.options.trusted_frames,
            least_speaker_frames: self.options.trusted_frames,
            assignment: Assignment::default(),
            hysteresis: self.options.hysteresis,
        };
        let clustered = cluster(self.windows.make_contiguous(), &options, &Call::none());
        let clustering = match clustered {
            Ok(clustering) => clustering,
            Err(error) => {
                self.windows.pop_back();
                oldest.into_iter().for_each(|window| self.windows.push_front(window));
                return Err(error);
            }
        };
        if full {
            self.labels.pop_front();
        }
        self.labels.push_back(labels);
        self.match_clusters(&clustering, earlier);
        Ok(())
    }

    /// Matches the clusters of the memory with speakers: whoever most of a cluster was assigned to
    /// takes its centroid. Who is remembered and has no cluster is not known any more; a cluster of
    /// nobody founds somebody.
    fn match_clusters(&mut self, clustering: &Clustering, earlier: usize) {
        let shared = self.shared(clustering);
        let mut pairs: Vec<(usize, usize)> =
            shared.indexed_iter().filter(|(_, f)| **f > 0.0).map(|(i, _)| i).collect();
        pairs.sort_by(|a, b| shared[*b].total_cmp(&shared[*a]).then(a.cmp(b)));
        let mut speaker_of = vec![None; clustering.speakers];
        let mut taken = vec![false; self.known.len()];
        for (number, speaker) in pairs {
            if speaker_of[number].is_none() && !taken[speaker] {
                (speaker_of[number], taken[speaker]) = (Some(speaker), true);
            }
        }
        for (speaker, column) in self.known.iter_mut().zip(shared.columns()) {
            // Who is not remembered any more stays who they were; who never was did not last.
            speaker.known &= speaker.established && column.sum() == 0.0;
        }
        for (number, speaker) in speaker_of.iter().enumerate() {
            if let Some(speaker) = *speaker {
                let voice = clustering.centroids.row(number).to_owned();
                self.known[speaker] = KnownSpeaker { voice, known: true, established: true };
            }
        }
        self.drop_unconfirmed(earlier);
        let solo = self.solo(clustering);
        for number in 0..clustering.speakers {
            if speaker_of[number].is_some() {
                continue;
            }
            let voice = clustering.centroids.row(number);
            let far = |speaker: &KnownSpeaker| {
                !speaker.known || cosine_distance(speaker.voice.view(), voice) > self.options.new_threshold
            };
            if self.room() > 0 && solo[number] >= self.options.founding_frames && self.known.iter().all(far) {
                speaker_of[number] = Some(self.found_speaker(voice.to_owned()));
            }
        }
        for (labels, numbers) in self.labels.iter_mut().zip(&clustering.labels) {
            for (label, number) in labels.iter_mut().zip(numbers).filter(|(label, _)| label.is_none()) {
                *label = number.and_then(|number| speaker_of[number]);
            }
        }
    }

    /// Drops the last speakers, after the first `earlier`, whom the memory does not confirm: no
    /// window has their index yet.
    fn drop_unconfirmed(&mut self, earlier: usize) {
        let lasting = self.known.iter().rposition(|speaker| speaker.known).map_or(0, |last| last + 1);
        self.known.truncate(lasting.max(earlier));
        let count = self.known.len();
        for label in self.labels.iter_mut().flatten() {
            *label = label.filter(|&speaker| speaker < count);
        }
    }

    /// Solo frames that each cluster shares with each speaker, in the remembered windows:
    /// [clusters, speakers].
    fn shared(&self, clustering: &Clustering) -> Array2<f64> {
        let mut shared = Array2::zeros((clustering.speakers, self.known.len()));
        self.each_track(clustering, |number, speaker, frames| {
            if let Some(speaker) = speaker {
                shared[[number, speaker]] += frames as f64 + SILENT_FRAMES;
            }
        });
        shared
    }

    /// Solo frames of each cluster.
    fn solo(&self, clustering: &Clustering) -> Vec<usize> {
        let mut solo = vec![0; clustering.speakers];
        self.each_track(clustering, |number, _, frames| solo[number] += frames);
        solo
    }

    /// Calls `take(cluster, speaker, solo frames)` for each remembered local speaker of a cluster.
    fn each_track(&self, clustering: &Clustering, mut take: impl FnMut(usize, Option<usize>, usize)) {
        for ((window, labels), numbers) in self.windows.iter().zip(&self.labels).zip(&clustering.labels) {
            let talking = self.options.hysteresis.talking(window);
            for (local, number) in numbers.iter().enumerate() {
                if let Some(number) = *number {
                    take(number, labels[local], solo_frames(&talking, local));
                }
            }
        }
    }
}

/// The local speakers who talk, with their voices scaled to unit length.
fn talkers(window: &LocalWindow, talking: &[Vec<bool>]) -> Vec<Talker> {
    let of = |local: usize| {
        let voice = window.has_voice(local).then(|| {
            let mut voice = window.embedding.row(local).to_owned();
            scale_to_unit(voice.view_mut());
            voice
        });
        Talker { local, solo_frames: solo_frames(talking, local), voice }
    };
    (0..talking.len()).filter(|&local| talking[local].contains(&true)).map(of).collect()
}

#[cfg(test)]
#[path = "online_tests.rs"]
mod tests;
