//! Whose voices the speakers of a recording or a stream are.

use std::sync::Arc;

use voiceflow::gallery::Gallery;
use voiceflow::{Diarization, Speaker};

/// A gallery, and how similar to its voices a speaker has to be.
#[derive(Clone, Debug)]
pub struct Known {
    /// The voices.
    pub gallery: Arc<Gallery>,
    /// Cosine similarity, -1 to 1, from which a speaker is taken for a known one.
    pub threshold: f32,
}

/// Whom a speaker is taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Identified {
    /// The name; `None` for a stranger.
    pub name: Option<String>,
    /// Cosine similarity, -1 to 1, to that voice; of a stranger to the nearest one.
    pub score: f32,
}

/// Who spoke when, and who that is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// Who spoke when.
    pub diarization: Diarization,
    /// Each speaker, where a gallery was asked.
    pub identified: Option<Vec<Identified>>,
}

impl Known {
    /// With the gallery's own threshold where none is given.
    pub fn new(gallery: Arc<Gallery>, threshold: Option<f32>) -> Self {
        let threshold = threshold.unwrap_or_else(|| gallery.threshold());
        Self { gallery, threshold }
    }

    /// Whom these speakers are taken for, each for somebody else.
    ///
    /// # Errors
    /// Those of [`Gallery::identify_all`].
    pub fn identify(&self, speakers: &[Speaker]) -> voiceflow::Result<Vec<Identified>> {
        let voices: Vec<&[f32]> = speakers.iter().map(|speaker| speaker.embedding.as_slice()).collect();
        let found = self.gallery.identify_all(&voices, self.threshold)?;
        let identified = |identity: &voiceflow::Identity| Identified {
            name: self.gallery.name_of(identity).map(str::to_owned),
            score: identity.score,
        };
        Ok(found.iter().map(identified).collect())
    }
}

impl Answered {
    /// The diarization, with whom `known` takes its speakers for.
    ///
    /// # Errors
    /// Those of [`Known::identify`].
    pub fn new(diarization: Diarization, known: Option<&Known>) -> voiceflow::Result<Self> {
        let identified = known.map(|known| known.identify(&diarization.speakers)).transpose()?;
        Ok(Self { diarization, identified })
    }

    /// The name of a speaker, where it is known.
    pub fn name_of(&self, speaker: usize) -> Option<&str> {
        self.identified.as_ref()?.get(speaker)?.name.as_deref()
    }

    /// The diarization, with names for labels where they are known.
    pub fn labelled(&self) -> Diarization {
        let mut labelled = self.diarization.clone();
        for (index, speaker) in labelled.speakers.iter_mut().enumerate() {
            if let Some(name) = self.name_of(index) {
                name.clone_into(&mut speaker.label);
            }
        }
        labelled
    }
}
