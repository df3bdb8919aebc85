//! Enrolled speakers with their names, and which of them a voice is. Pure but for [`Gallery::save`]
//! and [`Gallery::read`]; never sees audio or runs a model.

mod file;
mod fingerprint;
mod roster;
mod voice;

use std::path::Path;

use crate::assignment::assign;
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::types::Diarization;

pub use fingerprint::Fingerprint;
use roster::Roster;
pub use voice::{LEAST_SPEECH_S, OTHERS_SHARE, Voice};

/// Most voices in one gallery.
pub const MAX_VOICES: usize = 100_000;

/// Longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// What the labels of unknown speakers begin with.
const STRANGER: &str = "SPEAKER_";

/// Agreement under which recordings cancel each other out and leave no voice.
const LEAST_AGREEMENT: f64 = 1e-3;

/// A known voice.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolled {
    /// Whose voice it is.
    pub name: String,
    /// Speech that it was made of, in seconds.
    pub speech_s: f64,
    /// Recordings that it was made of.
    pub recordings: u32,
    /// How alike the recordings are: the length of the mean of their unit voices, weighted by
    /// speech, up to 1.
    pub agreement: f64,
    /// That mean at unit length.
    pub embedding: Vec<f32>,
}

/// Whom a voice is taken for.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity {
    /// Index of the known voice in [`Gallery::voices`]; `None` for a stranger.
    pub voice: Option<usize>,
    /// Cosine similarity, -1 to 1, to that voice; of a stranger to the nearest known one, -1 where
    /// there is none.
    pub score: f32,
}

impl Identity {
    /// Nobody, and nobody is near.
    const NOBODY: Self = Self { voice: None, score: -1.0 };
}

/// Voices of named speakers, in the order in which the names were first enrolled. All come from one
/// voice space: that of one model, or of models that say they share one.
///
/// ```
/// use voiceflow::{Call, Config, Diarizer, Gallery, Voice};
///
/// # fn main() -> voiceflow::Result<()> {
/// let diarizer = Diarizer::new(&Config::default())?;
/// let meeting = diarizer.process_file("examples/data/conversation.flac", &Call::none())?;
/// let mut gallery = Gallery::new(diarizer.model());
/// // Of one speaker alone; `Diarizer::voice_file` takes the voice from a recording.
/// let ada = &meeting.speakers[0];
/// gallery.enroll("ada", &Voice { embedding: ada.embedding.clone(), speech_s: ada.speech_s })?;
/// for (speaker, identity) in meeting.speakers.iter().zip(gallery.identify_speakers(&meeting, gallery.threshold())?) {
///     println!("{} is {}", speaker.label, gallery.name_of(&identity).unwrap_or("a stranger"));
/// }
/// # assert_eq!(gallery.name_of(&gallery.identify_speakers(&meeting, 0.5)?[0]), Some("ada"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    model: Fingerprint,
    threshold: f32,
    known: Roster,
}

impl Gallery {
    /// A gallery for voices of this model, without any.
    pub fn new(model: &ModelInfo) -> Self {
        let threshold = model.thresholds.identity;
        Self { model: Fingerprint::of(model), threshold, known: Roster::default() }
    }

    /// Reads a gallery of any model. [`Gallery::load`] is for one that will be used.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`]; [`Error::Gallery`] for a file that is none or is
    /// damaged; [`Error::Limit`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        file::read(path.as_ref())
    }

    /// Reads a gallery of this model.
    ///
    /// # Errors
    /// Those of [`Gallery::read`]; [`Error::Gallery`] for that of another model.
    pub fn load(path: impl AsRef<Path>, model: &ModelInfo) -> Result<Self> {
        let path = path.as_ref();
        let gallery = Self { threshold: model.thresholds.identity, ..Self::read(path)? };
        gallery.check_model(model).map_err(|error| match error {
            Error::Gallery(text) => Error::Gallery(format!("{}: {text}", path.display())),
            other => other,
        })?;
        Ok(gallery)
    }

    /// Writes the gallery whole or not at all, as [`crate::files::write_private`] does: voices are
    /// personal data.
    ///
    /// # Errors
    /// Those of [`crate::files::write_private`]; [`Error::Limit`] for more than [`Gallery::read`]
    /// takes.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        Self::save_text(&self.render()?, path.as_ref())
    }

    /// What [`Gallery::save`] writes.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn render(&self) -> Result<String> {
        file::render(self)
    }

    /// Writes what [`Gallery::render`] gave.
    ///
    /// # Errors
    /// Those of [`Gallery::save`].
    pub(crate) fn save_text(text: &str, path: &Path) -> Result<()> {
        file::write(text, path)
    }

    /// The model that the gallery was made for.
    pub fn model(&self) -> &Fingerprint {
        &self.model
    }

    /// Cosine similarity from which a voice is taken for a known one, as the model was tuned: the
    /// threshold for [`Gallery::identify`] where there is no better.
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The known voices.
    pub fn voices(&self) -> &[Enrolled] {
        self.known.voices()
    }

    /// The names in the order of [`Gallery::voices`].
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.voices().iter().map(|voice| voice.name.as_str())
    }

    /// The name of a known voice, `None` for a stranger.
    pub fn name_of(&self, identity: &Identity) -> Option<&str> {
        identity.voice.and_then(|index| self.voices().get(index)).map(|voice| voice.name.as_str())
    }

    /// Refuses a model of another voice space than that of the voices.
    ///
    /// # Errors
    /// [`Error::Gallery`], which names both.
    pub fn check_model(&self, model: &ModelInfo) -> Result<()> {
        let other = Fingerprint::of(model);
        let same = self.model.voices().shares_voices_with(&other.voices());
        if same && self.model.dimension == other.dimension {
            return Ok(());
        }
        Err(Error::Gallery(format!("model: expected that of the gallery, {}, got {other}", self.model)))
    }

    /// Refuses an embedding of another length than the model's, before anybody reads it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn check_dimension(&self, found: usize) -> Result<()> {
        let expected = self.model.dimension;
        if found == expected {
            return Ok(());
        }
        Err(Error::invalid("embedding", format!("expected {expected} values, got {found}")))
    }

    /// Refuses a name that cannot be enrolled.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for one that is empty or longer than [`MAX_NAME_BYTES`], begins
    /// or ends with white space, holds control characters, or is one that strangers are given, such
    /// as `SPEAKER_00`.
    pub fn check_name(name: &str) -> Result<()> {
        let refused = |expected: &str, got: &str| {
            Err(Error::invalid("name", format!("expected {expected}, got {got}")))
        };
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return refused(&format!("1 to {MAX_NAME_BYTES} bytes"), &name.len().to_string());
        }
        if name.trim() != name || name.contains(char::is_control) {
            return refused("no white space around it and no control characters", &format!("{name:?}"));
        }
        let number = name.strip_prefix(STRANGER).unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return refused("another than those of unknown speakers (SPEAKER_00)", name);
        }
        Ok(())
    }

    /// Adds a recording of a speaker. The voice of a name is the mean of its recordings' unit
    /// voices, weighted by speech, at unit length; their order does not matter.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name that [`Gallery::check_name`] refuses, or a voice that
    /// is not of the gallery's dimension, not finite, all zeros, without speech, or the opposite of
    /// what is enrolled; [`Error::Limit`] for more than [`MAX_VOICES`].
    pub fn enroll(&mut self, name: &str, voice: &Voice) -> Result<()> {
        Self::check_name(name)?;
        let Voice { embedding, speech_s } = voice;
        let length = self.length(embedding)?;
        if length == 0.0 {
            return Err(Error::invalid("embedding", "expected a voice, got zeros"));
        }
        if !(speech_s.is_finite() && *speech_s > 0.0) {
            return Err(Error::invalid("speech_s", format!("expected more than 0, got {speech_s}")));
        }
        let known = self.voice(name);
        let mut sum: Vec<f64> = embedding.iter().map(|&value| f64::from(value) / length * speech_s).collect();
        let (mut total_s, mut recordings) = (*speech_s, 1_u32);
        if let Some(older) = known {
            let weight = older.speech_s * older.agreement;
            sum.iter_mut().zip(&older.embedding).for_each(|(sum, &value)| *sum += f64::from(value) * weight);
            total_s += older.speech_s;
            recordings = older.recordings.saturating_add(1);
        }
        let length = norm(sum.iter().copied());
        let agreement = (length / total_s).min(1.0);
        if !(agreement >= LEAST_AGREEMENT && total_s.is_finite()) {
            return Err(Error::invalid(
                "embedding",
                format!("expected a voice like those of `{name}`, got their opposite"),
            ));
        }
        let embedding = sum.iter().map(|value| (value / length) as f32).collect();
        let voice = Enrolled { name: name.to_owned(), speech_s: total_s, recordings, agreement, embedding };
        if known.is_none() && self.voices().len() >= MAX_VOICES {
            let text = format!("gallery: expected at most {MAX_VOICES} voices, which it has");
            return Err(Error::Limit(text));
        }
        self.known.put(voice)?;
        Ok(())
    }

    /// Gives a speaker another name. The voice and its place stay.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name that is not enrolled, and for a new one that
    /// [`Gallery::check_name`] refuses or another speaker has.
    pub fn rename(&mut self, name: &str, new_name: &str) -> Result<()> {
        Self::check_name(new_name)?;
        if name != new_name && self.known.position(new_name).is_some() {
            let reason = format!("expected one that is not enrolled, got {new_name:?}");
            return Err(Error::invalid("new_name", reason));
        }
        if self.known.rename(name, new_name)? {
            return Ok(());
        }
        Err(not_enrolled(name))
    }

    /// The voice of a speaker.
    pub fn voice(&self, name: &str) -> Option<&Enrolled> {
        self.known.position(name).and_then(|index| self.voices().get(index))
    }

    /// Removes a speaker. Those behind move up by one.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name that is not enrolled.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        if self.known.remove(name) {
            return Ok(());
        }
        Err(not_enrolled(name))
    }

    /// Whom a voice is taken for: the nearest known voice, from `threshold` on.
    ///
    /// # Errors
    /// Those of [`Gallery::identify_all`].
    pub fn identify(&self, embedding: &[f32], threshold: f32) -> Result<Identity> {
        let found = self.identify_all(&[embedding], threshold)?;
        Ok(found.into_iter().next().unwrap_or(Identity::NOBODY))
    }

    /// Whom the voices of one recording are taken for, each for somebody else: the pairs from
    /// `threshold` on that together exceed it the most. Zeros, which are no voice, are a
    /// stranger's.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a threshold outside -1 to 1, and embeddings that are not of
    /// the gallery's dimension or not finite.
    pub fn identify_all(&self, embeddings: &[&[f32]], threshold: f32) -> Result<Vec<Identity>> {
        if !(-1.0..=1.0).contains(&threshold) {
            return Err(Error::invalid("threshold", format!("expected -1 to 1, got {threshold}")));
        }
        let scores = embeddings.iter().map(|embedding| self.scores(embedding)).collect::<Result<Vec<_>>>()?;
        let near =
            |voice: &usize| scores.iter().any(|own| own.get(*voice).is_some_and(|&score| score >= threshold));
        let near: Vec<usize> = (0..self.voices().len()).filter(near).collect();
        let score = |row: usize, column: usize| {
            let voice = near.get(column)?;
            let score = *scores.get(row)?.get(*voice)?;
            (score >= threshold).then_some((*voice, score))
        };
        // By how much scores exceed the threshold, and not by the scores: or one speaker would give
        // up a good match so that two have poor ones. A pair that just reaches it is still better
        // than none.
        let gain = |score: f32| f64::from(score) - f64::from(threshold) + 1e-9;
        let pairs = assign(scores.len(), near.len(), |row, column| {
            score(row, column).map_or(0.0, |(_, score)| -gain(score))
        });
        let identity = |(row, (column, own)): (usize, (Option<usize>, &Vec<f32>))| match column
            .and_then(|column| score(row, column))
        {
            Some((voice, score)) => Identity { voice: Some(voice), score },
            None => Identity { voice: None, score: own.iter().copied().fold(-1.0, f32::max) },
        };
        Ok(pairs.into_iter().zip(&scores).enumerate().map(identity).collect())
    }

    /// Whom the speakers of a diarization are taken for, as [`Gallery::identify_all`].
    ///
    /// # Errors
    /// [`Error::Gallery`] for a result whose voices are of another voice space; those of
    /// [`Gallery::identify_all`].
    pub fn identify_speakers(&self, diarization: &Diarization, threshold: f32) -> Result<Vec<Identity>> {
        diarization.voice_space.iter().try_for_each(|space| self.model.check_voices(space))?;
        let speakers = diarization.speakers.iter();
        let embeddings: Vec<&[f32]> = speakers.map(|speaker| speaker.embedding.as_slice()).collect();
        self.identify_all(&embeddings, threshold)
    }

    /// Gives the known speakers of a diarization their names as labels; those of strangers stay.
    ///
    /// # Errors
    /// Those of [`Gallery::identify_speakers`].
    pub fn name_speakers(&self, diarization: &mut Diarization, threshold: f32) -> Result<Vec<Identity>> {
        let identities = self.identify_speakers(diarization, threshold)?;
        for (speaker, identity) in diarization.speakers.iter_mut().zip(&identities) {
            if let Some(name) = self.name_of(identity) {
                name.clone_into(&mut speaker.label);
            }
        }
        Ok(identities)
    }

    /// Cosine similarity of an embedding to each known voice; none to zeros.
    fn scores(&self, embedding: &[f32]) -> Result<Vec<f32>> {
        let length = self.length(embedding)?;
        if length == 0.0 {
            return Ok(Vec::new());
        }
        let score = |voice: &Enrolled| {
            let products = voice.embedding.iter().zip(embedding).map(|(&a, &b)| f64::from(a) * f64::from(b));
            ((products.sum::<f64>() / length) as f32).clamp(-1.0, 1.0)
        };
        Ok(self.voices().iter().map(score).collect())
    }

    /// The length of an embedding, which has the gallery's dimension and is finite.
    fn length(&self, embedding: &[f32]) -> Result<f64> {
        self.check_dimension(embedding.len())?;
        if let Some((index, value)) = embedding.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            let reason = format!("expected finite values, got {value} at index {index}");
            return Err(Error::invalid("embedding", reason));
        }
        Ok(norm(embedding.iter().copied().map(f64::from)))
    }
}

fn not_enrolled(name: &str) -> Error {
    Error::invalid("name", format!("expected one that is enrolled, got {name:?}"))
}

/// The length of a vector.
fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}
