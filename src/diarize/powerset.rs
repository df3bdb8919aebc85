//! Scores of speaker sets to the activity of each local speaker. A powerset model gives each frame
//! one class: nobody, one local speaker, or several at once (Plaquet and Bredin, "Powerset
//! multi-class cross entropy loss for neural speaker diarization", Interspeech 2023).

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use crate::error::{Error, Result};

/// Most local speakers of a powerset.
const MAX_SPEAKERS: usize = 16;

/// Numbers of speakers at once that a class count is taken for, the likeliest first: published
/// models have two.
const LIKELY_TOGETHER: [usize; 3] = [2, 3, 1];

/// How the scores of a frame become activity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum PowersetDecoding {
    /// Probability of each speaker, 0 to 1: the softmax of the scores, summed over the sets with
    /// that speaker.
    Soft {
        /// What the probability that nobody talks is multiplied by, above 0, before the sum of all
        /// becomes 1 again. Below 1 more of what is doubtful counts as speech.
        silence_weight: f32,
    },
    /// 1 for the speakers of the set with the highest score, the first of equals, as pyannote.audio
    /// decodes; else 0.
    #[default]
    Hard,
}

/// The speaker sets of a model, one for each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powerset {
    speakers: usize,
    /// The local speakers of each class, ascending.
    sets: Vec<Vec<usize>>,
}

impl Powerset {
    /// The sets of at most `max_together` of `speakers` local speakers (1 to 16), in the order of
    /// pyannote.audio: by size, then by the first speaker, the second and so on. For 3 and 2:
    /// nobody; 0; 1; 2; 0+1; 0+2; 1+2.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for numbers outside their range.
    pub fn new(speakers: usize, max_together: usize) -> Result<Self> {
        if !(1..=MAX_SPEAKERS).contains(&speakers) || !(1..=speakers).contains(&max_together) {
            return Err(Error::invalid(
                "powerset",
                format!(
                    "expected 1 to {MAX_SPEAKERS} speakers and at least 1, at most all of \
                 them at once, got {speakers} speakers and {max_together} at once"
                ),
            ));
        }
        let mut sets = vec![Vec::new()];
        let mut first_of_size = 0;
        for _ in 0..max_together {
            // Each set of the next size is one of this size and a later speaker.
            let end = sets.len();
            for smaller in first_of_size..end {
                for speaker in sets[smaller].last().map_or(0, |last| last + 1)..speakers {
                    let mut set = sets[smaller].clone();
                    set.push(speaker);
                    sets.push(set);
                }
            }
            first_of_size = end;
        }
        Ok(Self { speakers, sets })
    }

    /// The powerset of a model that does not say more than its number of classes: that of as many
    /// speakers as fit it with at most two at once (4 classes: 2 speakers, 7: 3, 11: 4), else with
    /// at most three (8: 3), else with one.
    ///
    /// # Errors
    /// [`Error::Model`] for a number of classes that no powerset of up to 16 speakers has.
    pub fn from_class_count(classes: usize) -> Result<Self> {
        for max_together in LIKELY_TOGETHER {
            for speakers in max_together..=MAX_SPEAKERS {
                if class_count(speakers, max_together) == classes {
                    return Self::new(speakers, max_together);
                }
            }
        }
        Err(Error::Model(format!(
            "powerset: expected the class count of 1 to {MAX_SPEAKERS} speakers (7 for 3 speakers, \
             at most 2 at once), found {classes}"
        )))
    }

    /// Number of local speakers.
    pub fn speakers(&self) -> usize {
        self.speakers
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.sets.len()
    }

    /// The local speakers of each class, ascending.
    pub fn sets(&self) -> &[Vec<usize>] {
        &self.sets
    }

    /// Writes the activity, 0 to 1, of [frames, speakers] for `scores` of [frames, classes]:
    /// log-probabilities, or logits of any offset. A score that is not a number counts as
    /// impossible; a frame in which every class is impossible is silent.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for other shapes.
    pub fn decode_into(
        &self,
        scores: ArrayView2<'_, f32>,
        decoding: PowersetDecoding,
        mut activity: ArrayViewMut2<'_, f32>,
    ) -> Result<()> {
        let frames = scores.nrows();
        check_shape("scores", scores.shape(), [frames, self.classes()])?;
        check_shape("activity", activity.shape(), [frames, self.speakers])?;
        activity.fill(0.0);
        for (scores, activity) in scores.rows().into_iter().zip(activity.rows_mut()) {
            match decoding {
                PowersetDecoding::Soft { silence_weight } => self.soft(scores, silence_weight, activity),
                PowersetDecoding::Hard => self.hard(scores, activity),
            }
        }
        Ok(())
    }

    fn soft(&self, scores: ArrayView1<'_, f32>, silence_weight: f32, mut activity: ArrayViewMut1<'_, f32>) {
        let Some((_, highest)) = best(scores) else { return };
        // The difference to the highest is at most 0, so that no exponential overflows; equal
        // infinities differ by 0.
        let weight = |set: &[usize], score: f32| {
            let scale = if set.is_empty() { silence_weight } else { 1.0 };
            match score {
                score if score == highest => scale,
                score if score.is_nan() => 0.0,
                score => scale * (score - highest).exp(),
            }
        };
        let total: f32 = self.sets.iter().zip(scores).map(|(set, &score)| weight(set, score)).sum();
        for (set, &score) in self.sets.iter().zip(scores) {
            for &speaker in set {
                activity[speaker] += weight(set, score) / total;
            }
        }
        activity.mapv_inplace(|probability| probability.min(1.0));
    }

    fn hard(&self, scores: ArrayView1<'_, f32>, mut activity: ArrayViewMut1<'_, f32>) {
        if let Some((class, _)) = best(scores) {
            for &speaker in &self.sets[class] {
                activity[speaker] = 1.0;
            }
        }
    }
}

/// The first class with the highest score, and that score; `None` where every class is impossible.
fn best(scores: ArrayView1<'_, f32>) -> Option<(usize, f32)> {
    let mut best = None;
    for (class, &score) in scores.iter().enumerate() {
        if score > best.map_or(f32::NEG_INFINITY, |(_, highest)| highest) {
            best = Some((class, score));
        }
    }
    best
}

/// Number of sets of at most `max_together` of `speakers`.
fn class_count(speakers: usize, max_together: usize) -> usize {
    let mut of_size = 1;
    let mut total = 1;
    for size in 1..=max_together {
        of_size = of_size * (speakers + 1 - size) / size;
        total += of_size;
    }
    total
}

fn check_shape(name: &str, found: &[usize], expected: [usize; 2]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::invalid("powerset", format!("{name}: expected the shape {expected:?}, got {found:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    const SOFT: PowersetDecoding = PowersetDecoding::Soft { silence_weight: 1.0 };

    fn decode(scores: &Array2<f32>, decoding: PowersetDecoding) -> Array2<f32> {
        let powerset = Powerset::from_class_count(scores.ncols()).unwrap();
        let mut activity = Array2::from_elem((scores.nrows(), powerset.speakers()), f32::NAN);
        powerset.decode_into(scores.view(), decoding, activity.view_mut()).unwrap();
        activity
    }

    #[test]
    fn sets_are_in_the_order_of_size() {
        let sets: [&[usize]; 7] = [&[], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2]];
        assert_eq!(Powerset::new(3, 2).unwrap().sets(), sets);
        assert_eq!(Powerset::new(3, 3).unwrap().sets()[7], [0, 1, 2]);
    }

    #[test]
    fn a_class_count_is_taken_for_two_at_once_where_it_can() {
        for (classes, speakers, max_together) in
            [(2, 1, 1), (4, 2, 2), (5, 4, 1), (7, 3, 2), (8, 3, 3), (11, 4, 2), (15, 4, 3), (16, 5, 2)]
        {
            let powerset = Powerset::new(speakers, max_together).unwrap();
            assert_eq!(powerset.classes(), classes);
            assert_eq!(Powerset::from_class_count(classes).unwrap(), powerset);
        }
        for classes in [0, 1, 1000] {
            let error = Powerset::from_class_count(classes).unwrap_err().to_string();
            assert!(error.ends_with(&format!("found {classes}")), "{error}");
        }
        assert!(
            Powerset::new(0, 1).is_err() && Powerset::new(17, 2).is_err() && Powerset::new(2, 3).is_err()
        );
    }

    #[test]
    fn soft_sums_over_the_sets_of_a_speaker_whatever_the_offset() {
        let probabilities = [0.1, 0.2, 0.05, 0.05, 0.3, 0.1, 0.2_f32];
        for offset in [0.0, -500.0, 3e4] {
            let scores = Array2::from_shape_fn((1, 7), |(_, class)| probabilities[class].ln() + offset);
            let expected = array![[0.6, 0.55, 0.35]];
            let error = (decode(&scores, SOFT) - expected).mapv(f32::abs);
            assert!(error.iter().all(|&error| error < 2e-3), "{error}");
        }
    }

    #[test]
    fn a_lower_weight_of_silence_leaves_more_to_who_may_talk() {
        let probabilities = [0.6, 0.2, 0.0, 0.0, 0.2, 0.0, 0.0_f32];
        let scores = Array2::from_shape_fn((1, 7), |(_, class)| probabilities[class].ln());
        let weighted = |silence_weight| decode(&scores, PowersetDecoding::Soft { silence_weight });
        for (weight, both, one) in [(1.0, 0.4, 0.2), (0.5, 4.0 / 7.0, 2.0 / 7.0), (2.0, 0.25, 0.125)] {
            let error = (weighted(weight) - array![[both, one, 0.0]]).mapv(f32::abs);
            assert!(error.iter().all(|&error| error < 1e-6), "{weight}: {error}");
        }
    }

    #[test]
    fn scores_that_are_no_number_are_impossible() {
        let (never, always) = (f32::NEG_INFINITY, f32::INFINITY);
        let scores = array![
            [f32::NAN, 0.0, never, never, never, never, never],
            [never; 7],
            [f32::NAN; 7],
            [0.0, 0.0, always, 0.0, 0.0, 0.0, f32::NAN],
        ];
        let expected = array![[1.0, 0.0, 0.0], [0.0; 3], [0.0; 3], [0.0, 1.0, 0.0]];
        assert_eq!(decode(&scores, SOFT), expected);
        assert_eq!(decode(&scores, PowersetDecoding::Hard), expected);
    }

    #[test]
    fn other_shapes_are_refused() {
        let powerset = Powerset::new(3, 2).unwrap();
        let (scores, mut activity) = (Array2::zeros((4, 6)), Array2::zeros((4, 3)));
        let error =
            powerset.decode_into(scores.view(), PowersetDecoding::Hard, activity.view_mut()).unwrap_err();
        assert_eq!(error.to_string(), "powerset: scores: expected the shape [4, 7], got [4, 6]");
    }
}
