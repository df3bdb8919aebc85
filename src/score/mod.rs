//! Scores a diarization against a reference: diarization error rate (DER) and Jaccard error rate
//! (JER).
//!
//! ```text
//! reference  ─┐
//! hypothesis ─┼─> evaluated time ──> crop both ──> map speakers ──> sweep ──> missed, false alarm, confusion
//! UEM        ─┘   UEM - collars      to it         one to one        └──────> Jaccard error of each speaker
//!                 - overlap
//! ```
//!
//! The definitions, the corner cases and the choice among equally good speaker mappings are those
//! of `pyannote.metrics` 4 (`DiarizationErrorRate`, `JaccardErrorRate`; H. Bredin,
//! "pyannote.metrics: a toolkit for reproducible evaluation, diagnostic, and error analysis of
//! speaker diarization systems", Interspeech 2017); the tests hold the figures equal. JER is
//! defined in N. Ryant et al., "Second DIHARD Challenge Evaluation Plan", 2019. This module reads
//! no files: see [`crate::output::rttm`] and [`crate::output::uem`].

mod der;
mod evaluated;
mod jer;
mod mapping;
mod span;
mod tracks;
mod wder;

use std::iter::Sum;
use std::ops::AddAssign;

use crate::error::{Error, Result};
use crate::types::Turn;
use span::Span;
use tracks::{Naming, Tracks};
pub use wder::{WordError, word_error};

/// Times further than this many seconds (30 years) from zero are refused: sums stay exact enough.
const MAX_TIME_S: f64 = 1e9;
/// Most speakers on one side of one recording: the mapping takes their cube in time.
pub const MAX_SPEAKERS: usize = 1000;

/// What is left out of the scoring. The default leaves nothing out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreOptions {
    /// Seconds around each reference boundary that are not scored, half before and half after it; 0
    /// or more. NIST's `md-eval.pl` and `dscore` give the half: their collar of 0.25 is 0.5 here.
    pub collar_s: f64,
    /// Whether to leave out the time in which two or more reference turns overlap.
    pub skip_overlap: bool,
}

/// The errors of a diarization, as durations that add up over recordings (`+=`, [`Iterator::sum`]).
///
/// Durations count speakers: one second in which two speakers talk is two seconds of reference.
/// `reference_s` = `correct_s` + `missed_s` + `confusion_s`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DiarizationError {
    /// Speech in the reference, in seconds.
    pub reference_s: f64,
    /// Speech given to the right speaker, in seconds.
    pub correct_s: f64,
    /// Reference speech that the hypothesis lacks, in seconds.
    pub missed_s: f64,
    /// Speech in the hypothesis that the reference lacks, in seconds.
    pub false_alarm_s: f64,
    /// Speech given to a wrong speaker, in seconds.
    pub confusion_s: f64,
    /// Speakers in the evaluated time of the reference.
    pub reference_speakers: usize,
    /// Sum over the reference speakers of each one's Jaccard error, 0 to 1 each.
    pub jaccard_error: f64,
}

impl DiarizationError {
    /// Diarization error rate, 0 or more (1 is 100 %; false alarms can take it beyond): missed,
    /// false alarm and confusion over the reference speech. Without reference speech, 0 where there
    /// is no false alarm and 1 where there is.
    pub fn der(&self) -> f64 {
        let errors = self.missed_s + self.false_alarm_s + self.confusion_s;
        if self.reference_s > 0.0 {
            errors / self.reference_s
        } else if errors > 0.0 {
            1.0
        } else {
            0.0
        }
    }

    /// Jaccard error rate, 0 to 1: the mean over the reference speakers of 1 - intersection / union
    /// with the hypothesis speaker mapped to them, 1 for a speaker to whom none is. Each speaker
    /// weighs the same. Without reference speakers it is 1, as in `pyannote.metrics`.
    pub fn jer(&self) -> f64 {
        if self.reference_speakers == 0 { 1.0 } else { self.jaccard_error / self.reference_speakers as f64 }
    }
}

impl AddAssign for DiarizationError {
    fn add_assign(&mut self, other: Self) {
        self.reference_s += other.reference_s;
        self.correct_s += other.correct_s;
        self.missed_s += other.missed_s;
        self.false_alarm_s += other.false_alarm_s;
        self.confusion_s += other.confusion_s;
        self.reference_speakers += other.reference_speakers;
        self.jaccard_error += other.jaccard_error;
    }
}

impl Sum for DiarizationError {
    fn sum<I: Iterator<Item = Self>>(errors: I) -> Self {
        errors.fold(Self::default(), |mut total, error| {
            total += error;
            total
        })
    }
}

impl<'a> Sum<&'a DiarizationError> for DiarizationError {
    fn sum<I: Iterator<Item = &'a Self>>(errors: I) -> Self {
        errors.copied().sum()
    }
}

/// Scores the `hypothesis` of one recording against its `reference`.
///
/// `uem` holds the stretches to evaluate, (start, end) in seconds in any order; without it,
/// everything from the first to the last moment of either annotation is evaluated, so that a
/// recording's silent beginning and end never count. Turns may come in any order. Turns of one
/// speaker that overlap each other count once each in DER and together in JER. Turns of a
/// microsecond or less are nothing.
///
/// # Errors
/// [`Error::InvalidArgument`] for a collar that is negative or not finite; [`Error::Annotation`]
/// for a turn or a stretch whose times are not finite, lie beyond a billion seconds or end before
/// they start; [`Error::Limit`] for more than [`MAX_SPEAKERS`] speakers in one annotation.
///
/// # Examples
/// ```
/// use voiceflow::Turn;
/// use voiceflow::score::{ScoreOptions, score};
///
/// let turn = |start_s, end_s, speaker: &str| Turn { start_s, end_s, speaker: speaker.into() };
/// let reference = [turn(0.0, 10.0, "anna"), turn(10.0, 20.0, "ben")];
/// let hypothesis = [turn(0.0, 12.0, "SPEAKER_00"), turn(12.0, 20.0, "SPEAKER_01")];
/// let error = score(&reference, &hypothesis, None, &ScoreOptions::default())?;
/// assert_eq!(error.confusion_s, 2.0);
/// assert_eq!(error.der(), 0.1);
/// # Ok::<(), voiceflow::Error>(())
/// ```
pub fn score(
    reference: &[Turn],
    hypothesis: &[Turn],
    uem: Option<&[(f64, f64)]>,
    options: &ScoreOptions,
) -> Result<DiarizationError> {
    if !(options.collar_s.is_finite() && options.collar_s >= 0.0) {
        let found = options.collar_s;
        return Err(Error::invalid("collar_s", format!("expected 0 or more, got {found}")));
    }
    let reference = spans_of("reference", reference)?;
    let hypothesis = spans_of("hypothesis", hypothesis)?;
    let uem = match uem {
        Some(stretches) => Some(checked_uem(stretches)?),
        None => None,
    };
    let evaluated = evaluated::evaluated(&reference, &hypothesis, uem, options);
    let reference = Tracks::crop(&reference, &evaluated, Naming::Letters);
    let hypothesis = Tracks::crop(&hypothesis, &evaluated, Naming::Numbers);
    for (side, tracks) in [("reference", &reference), ("hypothesis", &hypothesis)] {
        if tracks.speakers > MAX_SPEAKERS {
            let found = tracks.speakers;
            return Err(Error::Limit(format!(
                "{side}: expected at most {MAX_SPEAKERS} speakers, found {found}"
            )));
        }
    }
    let mut error = der::components(&reference, &hypothesis);
    (error.reference_speakers, error.jaccard_error) = jer::components(&reference, &hypothesis);
    Ok(error)
}

/// The turns as spans with their speakers; `side` names them in errors.
fn spans_of<'a>(side: &str, turns: &'a [Turn]) -> Result<Vec<(Span, &'a str)>> {
    let mut spans = Vec::with_capacity(turns.len());
    for (index, turn) in turns.iter().enumerate() {
        let span = checked(turn.start_s, turn.end_s, || format!("{side} turn {}", index + 1))?;
        if !span.is_empty() {
            spans.push((span, turn.speaker.as_str()));
        }
    }
    Ok(spans)
}

/// The stretches to evaluate as spans.
fn checked_uem(stretches: &[(f64, f64)]) -> Result<Vec<Span>> {
    let numbered = stretches.iter().enumerate();
    numbered
        .map(|(index, &(start, end))| checked(start, end, || format!("UEM stretch {}", index + 1)))
        .collect()
}

/// A span, once its times are finite and in order; `thing` names it in errors.
fn checked(start: f64, end: f64, thing: impl Fn() -> String) -> Result<Span> {
    let allowed = -MAX_TIME_S..=MAX_TIME_S;
    let problem = if !allowed.contains(&start) {
        format!("start: expected a time in seconds within a billion, found {start}")
    } else if !allowed.contains(&end) {
        format!("end: expected a time in seconds within a billion, found {end}")
    } else if end < start {
        format!("end: expected a time from its start {start} on, found {end}")
    } else {
        // The sum turns -0.0 into 0.0, which sorts beside it otherwise.
        return Ok(Span { start: start + 0.0, end: end + 0.0 });
    };
    Err(Error::Annotation(format!("{}: {problem}", thing())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(start_s: f64, end_s: f64) -> Turn {
        Turn { start_s, end_s, speaker: "a".into() }
    }

    #[test]
    fn bad_times_are_named() {
        let options = ScoreOptions::default();
        let message = |reference: &[Turn], hypothesis: &[Turn], uem: Option<&[(f64, f64)]>| {
            score(reference, hypothesis, uem, &options).unwrap_err().to_string()
        };
        let good = turn(0.0, 1.0);
        assert_eq!(
            message(&[good.clone(), turn(f64::NAN, 1.0)], &[], None),
            "reference turn 2: start: expected a time in seconds within a billion, found NaN"
        );
        assert_eq!(
            message(&[], &[turn(2.0, 1.5)], None),
            "hypothesis turn 1: end: expected a time from its start 2 on, found 1.5"
        );
        assert_eq!(
            message(&[], &[], Some(&[(0.0, f64::INFINITY)])),
            "UEM stretch 1: end: expected a time in seconds within a billion, found inf"
        );
        for collar_s in [-0.1, f64::NAN, f64::INFINITY] {
            let options = ScoreOptions { collar_s, skip_overlap: false };
            let error = score(&[], &[], None, &options).unwrap_err();
            assert!(error.to_string().starts_with("collar_s: expected 0 or more, got "), "{error}");
        }
    }

    #[test]
    fn rates_without_reference_are_those_of_pyannote() {
        let options = ScoreOptions::default();
        let silent = score(&[], &[], None, &options).unwrap();
        assert_eq!((silent.der(), silent.jer()), (0.0, 1.0));
        let invented = score(&[], &[turn(0.0, 2.0)], None, &options).unwrap();
        assert_eq!((invented.der(), invented.jer(), invented.false_alarm_s), (1.0, 1.0, 2.0));
    }

    #[test]
    fn recordings_add_up() {
        let options = ScoreOptions::default();
        let missed = score(&[turn(0.0, 1.0)], &[], None, &options).unwrap();
        let found = score(&[turn(0.0, 3.0)], &[turn(0.0, 3.0)], None, &options).unwrap();
        let total: DiarizationError = [missed, found].iter().sum();
        assert_eq!(total.der(), 0.25);
        assert_eq!(total.jer(), 0.5);
    }
}
