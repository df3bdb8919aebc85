//! Clustering of a stream: each window's local speakers are given to the people known so far, or found new ones, as
//! the window comes. A number once given is that person's for as long as the stream lives.
//!
//! Centroids, the constraint that two local speakers are two people, and the distance from which a voice is a new
//! one are those of incremental clustering in diart (Coria et al., "Overlap-aware low-latency online speaker
//! diarization based on end-to-end local segmentation", ASRU 2021). Beyond it, what is remembered is clustered anew
//! every few windows: who was taken for two people becomes one again, and centroids are means over clusters, not over
//! what happened to be said first. Forgetting is that of the memory, which holds the last windows only.

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

/// How people are told apart in a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnlineOptions {
    /// Cosine distance, 0 to 2, from all known voices at which a voice is a new one.
    pub new_threshold: f32,
    /// Cosine distance, 0 to 2, under which two clusters of remembered voices are one person.
    pub link_threshold: f32,
    /// Most people at a time; beyond them a voice joins the nearest.
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

/// Least weight of what a voice says: of equally unlikely people the nearest is taken.
const LEAST_TRUST: f32 = 0.01;

/// Most numbers that a stream gives to people.
const MAX_NUMBERS: usize = 1000;

/// Solo frames that a track without any counts for when clusters are matched with people.
const SILENT_FRAMES: f64 = 0.1;

/// Somebody heard in the stream.
#[derive(Clone, Debug)]
struct Person {
    /// Unit length.
    voice: Array1<f32>,
    /// Whether they may be given a window: not after what is remembered of them turned out to be another's.
    known: bool,
    /// Whether a cluster of the memory ever was theirs.
    established: bool,
}

/// The people of a stream so far.
#[derive(Clone, Debug)]
pub struct OnlineClustering {
    options: OnlineOptions,
    people: Vec<Person>,
    windows: VecDeque<LocalWindow>,
    /// Who the local speakers of the remembered windows were found to be when they came.
    labels: VecDeque<Vec<Option<usize>>>,
    /// Windows heard.
    heard: usize,
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
        Self { options, people: Vec::new(), windows, labels, heard: 0 }
    }

    /// Number of people heard so far.
    pub fn speakers(&self) -> usize {
        self.people.len()
    }

    /// The voice of a person, unit length, as it is known by now.
    pub fn voice(&self, speaker: usize) -> Option<ArrayView1<'_, f32>> {
        self.people.get(speaker).map(|person| person.voice.view())
    }

    /// The person of each local speaker of the next window: `None` for one who is silent, or of whom there is too
    /// little to be anybody. `talking` tells for each local speaker in which frames they talk.
    ///
    /// # Errors
    /// Those of [`cluster`].
    pub fn hear(&mut self, window: &LocalWindow, talking: &[Vec<bool>]) -> Result<Vec<Option<usize>>> {
        let talkers = talkers(window, talking);
        let remember = self.heard.is_multiple_of(self.options.remember_every.max(1));
        let told = self.people.len();
        let labels = self.assign(&talkers, talking.len());
        if !remember {
            self.heard += 1;
            return Ok(labels);
        }
        if let Err(error) = self.remember(window, labels, told) {
            // The window may be heard again.
            self.people.truncate(told);
            return Err(error);
        }
        self.heard += 1;
        Ok(self.assign(&talkers, talking.len()))
    }

    /// Gives talkers to people, new ones among them: the likeliest pair first, so that a voice that is well known
    /// never makes room for one of which little is heard.
    fn assign(&mut self, talkers: &[Talker], locals: usize) -> Vec<Option<usize>> {
        let costs = self.costs(talkers);
        let known = self.people.len();
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
                Some(voice) => Some(self.found(voice.clone())),
                None => None,
            };
        }
        labels
    }

    /// How many more people there may be. Who turned out to be another takes no place, but keeps the number.
    fn room(&self) -> usize {
        let known = self.people.iter().filter(|person| person.known).count();
        let most = self.options.max_speakers.saturating_sub(known);
        most.min(MAX_NUMBERS.saturating_sub(self.people.len()))
    }

    /// Adds a person.
    fn found(&mut self, voice: Array1<f32>) -> usize {
        self.people.push(Person { voice, known: true, established: false });
        self.people.len() - 1
    }

    /// What it costs that a talker is each of the people, or each of as many new ones, infinite where it may not be:
    /// [talkers, people].
    fn costs(&self, talkers: &[Talker]) -> Array2<f32> {
        let options = &self.options;
        let count = self.people.len();
        let room = self.room();
        let nobody = self.people.iter().all(|person| !person.known);
        let threshold = options.new_threshold;
        Array2::from_shape_fn((talkers.len(), count + talkers.len()), |(row, column)| {
            let talker = &talkers[row];
            let share = talker.solo_frames as f32 / options.trusted_frames.max(1) as f32;
            match (self.people.get(column), &talker.voice) {
                // What little is heard of a voice says little: the distance is drawn to the threshold.
                (Some(person), Some(voice)) if person.known => {
                    let distance = cosine_distance(voice.view(), person.voice.view());
                    threshold + share.clamp(LEAST_TRUST, 1.0) * (distance - threshold)
                }
                (Some(person), None) if person.known => threshold,
                // A new person is founded by their own row only, and where there is room.
                (None, Some(_)) if column - count == row && row < room && (nobody || share >= 1.0) => {
                    threshold
                }
                _ => f32::INFINITY,
            }
        })
    }

    /// Adds a window to the memory and clusters it anew. The first `told` people were there before the window.
    /// After an error the memory is as before.
    fn remember(&mut self, window: &LocalWindow, labels: Vec<Option<usize>>, told: usize) -> Result<()> {
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
        self.recognise(&clustering, told);
        Ok(())
    }

    /// Matches the clusters of the memory with people: whoever most of a cluster was found to be takes its voice.
    /// Who is remembered and has no cluster is not known any more; a cluster of nobody founds somebody.
    fn recognise(&mut self, clustering: &Clustering, told: usize) {
        let shared = self.shared(clustering);
        let mut pairs: Vec<(usize, usize)> =
            shared.indexed_iter().filter(|(_, f)| **f > 0.0).map(|(i, _)| i).collect();
        pairs.sort_by(|a, b| shared[*b].total_cmp(&shared[*a]).then(a.cmp(b)));
        let mut person_of = vec![None; clustering.speakers];
        let mut taken = vec![false; self.people.len()];
        for (number, person) in pairs {
            if person_of[number].is_none() && !taken[person] {
                (person_of[number], taken[person]) = (Some(person), true);
            }
        }
        for (person, column) in self.people.iter_mut().zip(shared.columns()) {
            // Who is not remembered any more stays who they were; who never was did not last.
            person.known &= person.established && column.sum() == 0.0;
        }
        for (number, person) in person_of.iter().enumerate() {
            if let Some(person) = *person {
                let voice = clustering.centroids.row(number).to_owned();
                self.people[person] = Person { voice, known: true, established: true };
            }
        }
        self.drop_untold(told);
        let solo = self.solo(clustering);
        for number in 0..clustering.speakers {
            if person_of[number].is_some() {
                continue;
            }
            let voice = clustering.centroids.row(number);
            let far = |person: &Person| {
                !person.known || cosine_distance(person.voice.view(), voice) > self.options.new_threshold
            };
            if self.room() > 0 && solo[number] >= self.options.founding_frames && self.people.iter().all(far)
            {
                person_of[number] = Some(self.found(voice.to_owned()));
            }
        }
        for (people, numbers) in self.labels.iter_mut().zip(&clustering.labels) {
            for (person, number) in people.iter_mut().zip(numbers).filter(|(person, _)| person.is_none()) {
                *person = number.and_then(|number| person_of[number]);
            }
        }
    }

    /// Lets go of the last people, after the first `told`, whom the memory does not bear out: nobody was given their
    /// number yet.
    fn drop_untold(&mut self, told: usize) {
        let lasting = self.people.iter().rposition(|person| person.known).map_or(0, |last| last + 1);
        self.people.truncate(lasting.max(told));
        let people = self.people.len();
        for label in self.labels.iter_mut().flatten() {
            *label = label.filter(|&person| person < people);
        }
    }

    /// Solo frames that each cluster shares with each person, in the remembered windows: [clusters, people].
    fn shared(&self, clustering: &Clustering) -> Array2<f64> {
        let mut shared = Array2::zeros((clustering.speakers, self.people.len()));
        self.each_track(clustering, |number, person, frames| {
            if let Some(person) = person {
                shared[[number, person]] += frames as f64 + SILENT_FRAMES;
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

    /// Calls `tell(cluster, person, solo frames)` for each remembered local speaker of a cluster.
    fn each_track(&self, clustering: &Clustering, mut tell: impl FnMut(usize, Option<usize>, usize)) {
        for ((window, people), numbers) in self.windows.iter().zip(&self.labels).zip(&clustering.labels) {
            let talking = self.options.hysteresis.talking(window);
            for (local, number) in numbers.iter().enumerate() {
                if let Some(number) = *number {
                    tell(number, people[local], solo_frames(&talking, local));
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
