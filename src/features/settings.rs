//! The settings of the features, one preset for each family of networks and each [`Frontend`].
//!
//! | | wespeaker | 3D-Speaker | NeMo | sherpa-onnx: wespeaker, 3D-Speaker | sherpa-onnx: NeMo |
//! |---|---|---|---|---|---|
//! | samples | x 32768 | [-1, 1] | [-1, 1] | x 32768; [-1, 1] | [-1, 1] |
//! | framing | whole | whole | centred | mirrored | whole |
//! | mean of a frame | removed | removed | kept | removed | kept |
//! | pre-emphasis | frame | frame | signal | frame | frame |
//! | window | Hamming | Povey | symmetric Hann | Povey | periodic Hann |
//! | mel filters | HTK, 20-8000 Hz | HTK, 20-8000 Hz | Slaney, 0-8000 Hz | HTK, 20-7600 Hz | Slaney, 0-7600 Hz |
//! | log guard | at least 2^-23 | at least 2^-23 | plus 2^-24 | at least 2^-23 | at least 2^-23 |
//! | normalization | mean | mean | mean, unbiased deviation | none; mean | mean, biased deviation |
//!
//! Sources: `torchaudio.compliance.kaldi.fbank` as wespeaker and 3D-Speaker call it; NeMo's
//! `FilterbankFeatures` up to 2.4, with which its public models were trained (2.5 pads with zeros
//! and drops the last frame); sherpa-onnx's `FeatureExtractorConfig`, computed by
//! kaldi-native-fbank. None adds dither when a model is used.

use super::framing::{Framing, SAMPLE_RATE};
use super::mel::{FFT_POINTS, MelScale};
use super::normalization::Normalization;
use super::window::Window;
use crate::config::Frontend;
use crate::error::{Error, Result};

/// Length of a frame in samples, if a model does not say otherwise: 25 ms.
const FRAME_SAMPLES: usize = 25 * SAMPLE_RATE / 1000;
/// Longest frame in milliseconds: [`FFT_POINTS`].
const MAX_FRAME_MS: usize = FFT_POINTS * 1000 / SAMPLE_RATE;
/// Full scale of 16-bit samples, the range in which Kaldi's recipes read audio.
const INT16_SCALE: f64 = 32_768.0;
/// Lowest edge of Kaldi's filters in hertz.
const KALDI_LOW_HZ: f64 = 20.0;
/// Highest edge of the filters in training: half the sample rate.
const NYQUIST_HZ: f64 = 8000.0;
/// Highest edge of the filters in sherpa-onnx: 400 Hz less.
const SHERPA_HIGH_HZ: f64 = 7600.0;
/// Least energy of a filter in Kaldi: the epsilon of single precision, 2^-23.
const KALDI_LEAST: f64 = f32::EPSILON as f64;
/// What NeMo adds to the energy of a filter (`log_zero_guard_value`).
const NEMO_ADDED: f64 = 1.0 / (1 << 24) as f64;

/// Where the pre-emphasis takes the sample before the first of a frame from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preemphasis {
    /// Each frame by itself: the first sample stands for the one before it.
    Frame,
    /// The whole signal before it is cut: the sample before it, none at the start.
    Signal,
}

/// What keeps the logarithm of an energy of zero finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogGuard {
    /// No energy is less than this.
    AtLeast(f64),
    /// This is added to every energy.
    Plus(f64),
}

impl LogGuard {
    /// The natural logarithm of `energy`, finite for every energy.
    pub fn log(self, energy: f64) -> f64 {
        match self {
            LogGuard::AtLeast(least) => energy.max(least).ln(),
            LogGuard::Plus(added) => (energy + added).ln(),
        }
    }
}

/// How features are computed from audio at 16 kHz. The table above has the presets.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureSettings {
    /// Factor for samples in [-1, 1].
    pub(crate) scale: f64,
    /// Length of a frame in samples, at most [`FFT_POINTS`].
    pub(crate) frame_samples: usize,
    /// Where the frames lie.
    pub(crate) framing: Framing,
    /// Whether each frame loses its mean first.
    pub(crate) removes_mean: bool,
    /// How high frequencies are raised.
    pub(crate) preemphasis: Preemphasis,
    /// The window over a frame.
    pub(crate) window: Window,
    /// The scale on which the mel filters are spaced.
    pub(crate) mel: MelScale,
    /// Lower edge of the first filter in hertz.
    pub(crate) low_hz: f64,
    /// Upper edge of the last filter in hertz.
    pub(crate) high_hz: f64,
    /// What keeps the logarithm finite.
    pub(crate) log_guard: LogGuard,
    /// What a network wants subtracted and divided by.
    pub(crate) normalization: Normalization,
}

impl FeatureSettings {
    /// For networks of wespeaker.
    pub fn wespeaker(frontend: Frontend) -> Self {
        let kaldi = Self { scale: INT16_SCALE, ..Self::three_d_speaker(frontend) };
        match frontend {
            Frontend::Trained => Self { window: Window::Hamming, ..kaldi },
            Frontend::Sherpa => Self { normalization: Normalization::None, ..kaldi },
        }
    }

    /// For networks of 3D-Speaker: CAM++, ERes2Net.
    pub fn three_d_speaker(frontend: Frontend) -> Self {
        let (framing, high_hz) = match frontend {
            Frontend::Trained => (Framing::Whole, NYQUIST_HZ),
            Frontend::Sherpa => (Framing::Mirrored, SHERPA_HIGH_HZ),
        };
        Self {
            scale: 1.0,
            frame_samples: FRAME_SAMPLES,
            framing,
            removes_mean: true,
            preemphasis: Preemphasis::Frame,
            window: Window::Povey,
            mel: MelScale::Htk,
            low_hz: KALDI_LOW_HZ,
            high_hz,
            log_guard: LogGuard::AtLeast(KALDI_LEAST),
            normalization: Normalization::Mean,
        }
    }

    /// For networks of NeMo: TitaNet; SpeakerNet, whose frames are of 20 ms
    /// ([`Self::with_frame_ms`]).
    pub fn nemo(frontend: Frontend) -> Self {
        let trained = Self {
            scale: 1.0,
            frame_samples: FRAME_SAMPLES,
            framing: Framing::Centred,
            removes_mean: false,
            preemphasis: Preemphasis::Signal,
            window: Window::Hann,
            mel: MelScale::Slaney,
            low_hz: 0.0,
            high_hz: NYQUIST_HZ,
            log_guard: LogGuard::Plus(NEMO_ADDED),
            normalization: Normalization::MeanAndDeviation { unbiased: true },
        };
        match frontend {
            Frontend::Trained => trained,
            Frontend::Sherpa => Self {
                framing: Framing::Whole,
                preemphasis: Preemphasis::Frame,
                window: Window::PeriodicHann,
                high_hz: SHERPA_HIGH_HZ,
                log_guard: LogGuard::AtLeast(KALDI_LEAST),
                normalization: Normalization::MeanAndDeviation { unbiased: false },
                ..trained
            },
        }
    }

    /// With frames of `milliseconds`, 1 to 32: the metadata `window_size_ms` of a network.
    ///
    /// # Errors
    /// [`Error::Model`] outside that range.
    pub fn with_frame_ms(self, milliseconds: usize) -> Result<Self> {
        if !(1..=MAX_FRAME_MS).contains(&milliseconds) {
            let text = format!("window_size_ms: expected 1 to {MAX_FRAME_MS}, got {milliseconds}");
            return Err(Error::Model(text));
        }
        Ok(Self { frame_samples: milliseconds * SAMPLE_RATE / 1000, ..self })
    }

    /// With samples from -1 to 1, or as of 16-bit audio: the metadata `normalize_samples` of a
    /// network.
    pub fn with_unit_samples(self, unit: bool) -> Self {
        Self { scale: if unit { 1.0 } else { INT16_SCALE }, ..self }
    }

    /// With another normalisation: the metadata `feature_normalize_type` of a network.
    pub fn with_normalization(self, normalization: Normalization) -> Self {
        Self { normalization, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_frame_is_checked() {
        let settings = FeatureSettings::nemo(Frontend::Trained);
        assert_eq!(settings.clone().with_frame_ms(20).unwrap().frame_samples, 320);
        assert_eq!(settings.clone().with_frame_ms(MAX_FRAME_MS).unwrap().frame_samples, FFT_POINTS);
        assert_eq!(settings.clone().with_frame_ms(25).unwrap(), settings);
        for wrong in [0, 33, usize::MAX] {
            let error = settings.clone().with_frame_ms(wrong).unwrap_err();
            assert_eq!(error.to_string(), format!("window_size_ms: expected 1 to 32, got {wrong}"));
        }
    }
}
