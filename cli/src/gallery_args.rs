//! The arguments by which commands that diarize take known voices.

use std::path::PathBuf;

use clap::Args;
use voiceflow::gallery::{Gallery, Identity};
use voiceflow::model::ModelInfo;
use voiceflow::{Diarization, Error, Speaker};

use crate::exit::Failure;
use crate::runtime_args::usage;

/// Arguments of commands that name the speakers they know.
#[derive(Args)]
#[command(next_help_heading = "Known voices")]
pub struct GalleryArgs {
    /// Call the speakers enrolled in this gallery by their names; see `voiceflow enroll`
    #[arg(long, value_name = "FILE")]
    gallery: Option<PathBuf>,
    #[command(flatten)]
    threshold: ThresholdArg,
}

/// How similar a voice has to be.
#[derive(Args)]
pub struct ThresholdArg {
    /// Similarity from which a voice is taken for a known one, -1 to 1 [default: what the model was
    /// tuned to]
    #[arg(long, value_name = "COSINE", requires = "gallery", allow_negative_numbers = true)]
    threshold: Option<f32>,
}

impl ThresholdArg {
    /// Refuses one out of range.
    pub fn check(&self) -> Result<(), Failure> {
        match self.threshold {
            Some(threshold) if !(-1.0..=1.0).contains(&threshold) => {
                Err(Failure::Usage(format!("--threshold: expected -1 to 1, got {threshold}")))
            }
            _ => Ok(()),
        }
    }

    /// The one given, else that of the gallery.
    pub fn of(&self, gallery: &Gallery) -> f32 {
        self.threshold.unwrap_or_else(|| gallery.threshold())
    }
}

/// Known voices and how similar to them a speaker has to be.
pub struct KnownVoices {
    gallery: Option<(Gallery, f32)>,
}

impl GalleryArgs {
    /// Refuses a threshold out of range.
    pub fn check(&self) -> Result<(), Failure> {
        self.threshold.check()
    }

    /// The file that is read, if any.
    pub fn file(&self) -> Option<&PathBuf> {
        self.gallery.as_ref()
    }

    /// Loads the gallery, if one was given, for this model.
    pub fn load(&self, model: &ModelInfo) -> Result<KnownVoices, Failure> {
        let gallery = self.gallery.as_ref().map(|path| Gallery::load(path, model)).transpose()?;
        let known = |gallery: Gallery| {
            let threshold = self.threshold.of(&gallery);
            (gallery, threshold)
        };
        Ok(KnownVoices { gallery: gallery.map(known) })
    }
}

impl KnownVoices {
    /// Labels enrolled speakers with their names.
    pub fn name_speakers(&self, diarization: &mut Diarization) -> voiceflow::Result<()> {
        if let Some((gallery, threshold)) = &self.gallery {
            gallery.name_speakers(diarization, *threshold)?;
        }
        Ok(())
    }

    /// The names of these speakers, each with the similarity; `None` for strangers.
    pub fn names_of(&self, speakers: &[Speaker]) -> voiceflow::Result<Vec<Option<Named>>> {
        let Some((gallery, threshold)) = &self.gallery else { return Ok(vec![None; speakers.len()]) };
        let voices: Vec<&[f32]> = speakers.iter().map(|speaker| speaker.embedding.as_slice()).collect();
        let identities = gallery.identify_all(&voices, *threshold)?;
        let named = |identity: &Identity| {
            let name = gallery.name_of(identity)?.to_owned();
            Some(Named { name, score: identity.score })
        };
        Ok(identities.iter().map(named).collect())
    }
}

/// An enrolled speaker.
#[derive(Clone)]
pub struct Named {
    pub name: String,
    /// Cosine similarity, -1 to 1, to the enrolled voice.
    pub score: f32,
}

/// A name that cannot be enrolled is the fault of the arguments.
pub fn check_name(name: &str) -> Result<(), Failure> {
    Gallery::check_name(name).map_err(|error: Error| usage(error))
}
