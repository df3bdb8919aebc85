//! How speakers are clustered: the methods and their settings, with the published ones.

use std::sync::Arc;

use super::plda::Plda;
use crate::config::ClusteringMethod;
use crate::diarize::activity::Hysteresis;
use crate::error::{Error, Result};

/// How speakers are clustered.
#[derive(Clone, Debug)]
pub struct ClusteringOptions {
    /// The method.
    pub method: Method,
    /// Distance under which two clusters are one speaker, 0 to 2: cosine distance with average
    /// linkage, Euclidean distance of vectors of unit length with the others
    /// ([`CENTROID_THRESHOLD`], [`VBX_THRESHOLD`]).
    pub threshold: f32,
    /// Fewest speakers, if there are as many tracks.
    pub min_speakers: usize,
    /// Most speakers.
    pub max_speakers: usize,
    /// Solo frames from which a track's voice is trusted enough to be clustered; pyannote.audio has
    /// a fifth of the window.
    pub trusted_frames: usize,
    /// Solo frames that a speaker has in all with [`Method::Average`]; the tracks of one with fewer
    /// join the nearest other speaker. The fewest speakers asked for are kept.
    pub least_speaker_frames: usize,
    /// How tracks are given to the speakers found, but with [`Method::Average`].
    pub assignment: Assignment,
    /// When a local speaker talks.
    pub hysteresis: Hysteresis,
}

/// A way to find the speakers.
#[derive(Clone, Debug)]
pub enum Method {
    /// Average linkage on cosine distance, with two speakers of one window never joined.
    Average,
    /// Average linkage on cosine distance in which any two tracks may be joined, and speakers have
    /// a share of all tracks: for voices so sure that two local speakers with one voice are one
    /// speaker whom the segmentation took for two.
    AverageBySize {
        /// Share of the tracks to cluster that a speaker has, 0 to 1; smaller clusters join the
        /// nearest speaker.
        least_share: f64,
    },
    /// Centroid linkage, as `AgglomerativeClustering` in pyannote.audio's speaker-diarization-3.1.
    Centroid {
        /// Tracks that a speaker has ([`CENTROID_MIN_CLUSTER_SIZE`]), but no more than a tenth of
        /// all; smaller clusters join the nearest speaker.
        min_cluster_size: usize,
    },
    /// Variational Bayes, as `VBxClustering` in pyannote.audio's speaker-diarization-community-1.
    Vbx(Vbx),
}

/// The threshold of a method for voices of a model that does not say what it was tuned with.
pub fn usual_threshold(method: ClusteringMethod) -> f32 {
    match method {
        ClusteringMethod::Auto | ClusteringMethod::Average => AVERAGE_THRESHOLD,
        ClusteringMethod::Centroid => CENTROID_THRESHOLD,
        ClusteringMethod::Vbx => VBX_THRESHOLD,
    }
}

/// Threshold of [`Method::Average`] where nothing better is known: that of sherpa-onnx.
const AVERAGE_THRESHOLD: f32 = 0.5;

/// Published threshold of [`Method::Centroid`] (pyannote/speaker-diarization-3.1).
pub const CENTROID_THRESHOLD: f32 = 0.704_565_5;

/// Published least tracks of a speaker of [`Method::Centroid`] (pyannote/speaker-diarization-3.1).
pub const CENTROID_MIN_CLUSTER_SIZE: usize = 12;

/// Published threshold of the start of [`Method::Vbx`] (pyannote/speaker-diarization-community-1).
pub const VBX_THRESHOLD: f32 = 0.6;

/// Published weight of what the voices say (pyannote/speaker-diarization-community-1).
const VBX_FA: f64 = 0.07;

/// Published regularisation of the number of speakers (pyannote/speaker-diarization-community-1).
const VBX_FB: f64 = 0.8;

/// The clusters that [`Method::Vbx`] starts from, cut at its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Centroid linkage, as in pyannote.audio's community-1; the threshold is a Euclidean distance.
    #[default]
    Centroid,
    /// Average linkage in which two speakers of one window are never joined; the threshold is a
    /// cosine distance.
    Average,
}

/// Settings of [`Method::Vbx`].
#[derive(Clone, Debug)]
pub struct Vbx {
    plda: Arc<Plda>,
    fa: f64,
    fb: f64,
    start: Start,
    least_tracks: usize,
}

impl Vbx {
    /// VBx with the published settings.
    pub fn new(plda: Arc<Plda>) -> Self {
        Self { plda, fa: VBX_FA, fb: VBX_FB, start: Start::default(), least_tracks: 0 }
    }

    /// Sets `fa`, the weight of what the voices say against the prior, and `fb`, which finds the
    /// fewer speakers the greater it is; both above 0. The names are those of the paper.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for values outside their range.
    pub fn with_factors(self, fa: f64, fb: f64) -> Result<Self> {
        for (name, value) in [("VBx: fa", fa), ("VBx: fb", fb)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::invalid(name, format!("expected above 0, got {value}")));
            }
        }
        Ok(Self { fa, fb, ..self })
    }

    /// Sets what it starts from.
    pub fn with_start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Sets the fewest tracks with which it is better than average linkage that it starts from. Its
    /// prior is for few speakers, and of a recording of half a minute it too often finds one
    /// (docs/adr/007).
    pub fn with_least_tracks(self, least_tracks: usize) -> Self {
        Self { least_tracks, ..self }
    }

    /// Fewest tracks with which it is better than average linkage that it starts from; 0 by
    /// default.
    pub fn least_tracks(&self) -> usize {
        self.least_tracks
    }

    /// What it starts from.
    pub fn start(&self) -> Start {
        self.start
    }

    /// The PLDA model.
    pub fn plda(&self) -> &Plda {
        &self.plda
    }

    /// Weight of what the voices say.
    pub fn fa(&self) -> f64 {
        self.fa
    }

    /// Regularisation of the number of speakers.
    pub fn fb(&self) -> f64 {
        self.fb
    }
}

/// How the tracks of a window are given to speakers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assignment {
    /// Two local speakers of one window are two speakers where there are as many: of all such
    /// pairings the one with the least cosine distance in sum (`constrained_assignment` of
    /// pyannote.audio). A local speaker too many joins the nearest speaker, where pyannote.audio
    /// drops them.
    #[default]
    Constrained,
    /// Each track joins the nearest speaker, as in speaker-diarization-3.1.
    Nearest,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};

    use crate::diarize::clustering::PldaArrays;

    #[test]
    fn factors_are_above_zero() {
        let one = || Array1::ones(1);
        let lda = Array2::ones((1, 1));
        let arrays = PldaArrays { mean1: one(), mean2: one(), mu: one(), psi: one(), tr: lda.clone(), lda };
        let vbx = Vbx::new(Arc::new(Plda::new(arrays).unwrap()));
        assert_eq!((vbx.fa(), vbx.fb()), (0.07, 0.8));
        assert!(vbx.clone().with_factors(0.1, 2.0).is_ok());
        let error = vbx.with_factors(0.1, f64::NAN).unwrap_err();
        assert_eq!(error.to_string(), "VBx: fb: expected above 0, got NaN");
    }
}
