//! Computes features: everything that does not depend on the audio is made once.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::framing::Framing;
use super::mel::{FFT_POINTS, Filter, SPECTRUM_BINS};
use super::normalization::Normalization;
use super::settings::{FeatureSettings, LogGuard, Preemphasis};
use crate::error::Result;
use crate::memory;

/// Share of the sample before that pre-emphasis subtracts: in Kaldi's recipes and in NeMo's.
const PREEMPHASIS: f64 = 0.97;

/// Computes features of audio with one choice of settings. Used by many threads at once.
pub struct FeatureExtractor {
    framing: Framing,
    removes_mean: bool,
    preemphasis: Preemphasis,
    /// Over a frame; the scale of the samples is in it.
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    filters: Vec<Filter>,
    log_guard: LogGuard,
    normalization: Normalization,
}

impl std::fmt::Debug for FeatureExtractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureExtractor").field("bins", &self.filters.len()).finish_non_exhaustive()
    }
}

impl FeatureExtractor {
    /// An extractor of features with `bins` mel bins.
    pub fn new(settings: &FeatureSettings, bins: usize) -> Self {
        let mut window = settings.window.values(settings.frame_samples);
        window.iter_mut().for_each(|value| *value *= settings.scale);
        Self {
            framing: settings.framing,
            removes_mean: settings.removes_mean,
            preemphasis: settings.preemphasis,
            window,
            fft: RealFftPlanner::new().plan_fft_forward(FFT_POINTS),
            filters: settings.mel.filters(bins, settings.low_hz, settings.high_hz),
            log_guard: settings.log_guard,
            normalization: settings.normalization,
        }
    }

    /// Frames in `samples` samples of audio, 0 when it is too short for one.
    pub fn frames(&self, samples: usize) -> usize {
        self.framing.frames(samples, self.window.len())
    }

    /// The time on which `frame` is centred, in samples from the start of the audio.
    pub fn frame_centre(&self, frame: usize) -> f64 {
        self.framing.first_sample(frame, self.window.len()) as f64 + self.window.len() as f64 / 2.0
    }

    /// Features of `audio`, mono at 16 kHz in [-1, 1]: natural logarithms of mel energies
    /// `[frames, bins]`, not normalised, finite for finite audio.
    ///
    /// Stretches of one recording that start a multiple of 160 samples apart have the same features
    /// where they overlap, but for the frames that reach beyond an end: at most two at each.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn compute(&self, audio: &[f32]) -> Result<Array2<f32>> {
        let shape = (self.frames(audio.len()), self.filters.len());
        let mut features = memory::array("features", shape, 0.0_f32)?;
        let mut frame = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = [0.0; SPECTRUM_BINS];
        for (index, mut row) in features.rows_mut().into_iter().enumerate() {
            self.cut(audio, index, &mut frame);
            self.transform(&mut frame, &mut spectrum, &mut scratch);
            for (power, bin) in power.iter_mut().zip(&spectrum) {
                *power = bin.norm_sqr();
            }
            for (feature, filter) in row.iter_mut().zip(&self.filters) {
                *feature = self.log_guard.log(filter.energy(&power)) as f32;
            }
        }
        Ok(features)
    }

    /// Normalises a stretch of features, `[frames, bins]`, as the network wants it.
    pub fn normalize(&self, features: &mut ArrayViewMut2<'_, f32>) {
        self.normalization.apply(features, |_| true);
    }

    /// Normalises features, `[frames, bins]`, by what holds for those that are `counted`.
    pub fn normalize_by(&self, features: &mut Array2<f32>, counted: &[bool]) {
        self.normalization.apply(&mut features.view_mut(), |frame| counted[frame]);
    }

    /// Fills `frame`, [`FFT_POINTS`] values, with a frame under its window and zeros. `audio` is
    /// not empty.
    fn cut(&self, audio: &[f32], index: usize, frame: &mut [f64]) {
        let first = self.framing.first_sample(index, self.window.len());
        let (frame, rest) = frame.split_at_mut(self.window.len());
        rest.fill(0.0);
        for (position, value) in (first..).zip(frame.iter_mut()) {
            *value = self.sample(audio, self.framing.folded(position, audio.len()));
        }
        if self.removes_mean {
            let mean = frame.iter().sum::<f64>() / frame.len() as f64;
            frame.iter_mut().for_each(|value| *value -= mean);
        }
        let share = if self.preemphasis == Preemphasis::Frame { PREEMPHASIS } else { 0.0 };
        let mut before = frame.first().copied().unwrap_or(0.0);
        for (value, window) in frame.iter_mut().zip(&self.window) {
            let sample = *value;
            *value = (sample - share * before) * window;
            before = sample;
        }
    }

    /// A sample of the signal that is cut into frames.
    fn sample(&self, audio: &[f32], index: usize) -> f64 {
        let sample = f64::from(audio[index]);
        match self.preemphasis {
            Preemphasis::Signal if index > 0 => sample - PREEMPHASIS * f64::from(audio[index - 1]),
            _ => sample,
        }
    }

    fn transform(&self, frame: &mut [f64], spectrum: &mut [Complex<f64>], scratch: &mut [Complex<f64>]) {
        #[expect(
            clippy::expect_used,
            reason = "only lengths can be wrong, and the plan made all three buffers"
        )]
        self.fft.process_with_scratch(frame, spectrum, scratch).expect("buffers of the plan");
    }
}

#[cfg(test)]
mod tests {
    use super::super::framing::STEP_SAMPLES;
    use super::*;
    use crate::config::Frontend;
    use crate::noise::Noise;

    /// Every preset.
    fn presets() -> Vec<FeatureSettings> {
        [Frontend::Trained, Frontend::Sherpa]
            .into_iter()
            .flat_map(|frontend| {
                [
                    FeatureSettings::wespeaker(frontend),
                    FeatureSettings::three_d_speaker(frontend),
                    FeatureSettings::nemo(frontend),
                ]
            })
            .collect()
    }

    /// Noise in [-1, 1].
    fn noise(samples: usize) -> Vec<f32> {
        let mut noise = Noise::new(1);
        (0..samples).map(|_| noise.number()).collect()
    }

    #[test]
    fn an_extractor_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<FeatureExtractor>();
    }

    #[test]
    fn short_empty_silent_and_loud_audio_has_finite_features() {
        for settings in presets() {
            let extractor = FeatureExtractor::new(&settings, 80);
            for samples in [0, 1, 2, 79, 80, 159, 160, 161, 399, 400, 401, 1000] {
                for audio in [noise(samples), vec![0.0; samples], vec![1e30; samples], vec![1e-40; samples]] {
                    let mut features = extractor.compute(&audio).unwrap();
                    assert_eq!(features.dim(), (extractor.frames(samples), 80), "{settings:?}");
                    assert!(features.iter().all(|x| x.is_finite()), "{settings:?} {samples}");
                    extractor.normalize(&mut features.view_mut());
                    assert!(features.iter().all(|x| x.is_finite()), "{settings:?} {samples}");
                }
            }
        }
    }

    #[test]
    fn digital_silence_lies_on_the_floor_and_is_zero_when_normalised() {
        for settings in presets() {
            let extractor = FeatureExtractor::new(&settings, 80);
            let mut features = extractor.compute(&[0.0; 4000]).unwrap();
            let floor = settings.log_guard.log(0.0) as f32;
            assert!((-17.0..-15.0).contains(&floor));
            assert!(features.iter().all(|&x| x == floor));
            if settings.normalization != Normalization::None {
                extractor.normalize(&mut features.view_mut());
                assert!(features.iter().all(|&x| x == 0.0));
            }
        }
    }

    #[test]
    fn frames_do_not_depend_on_where_a_stretch_starts() {
        let audio = noise(16_000);
        for settings in presets() {
            let extractor = FeatureExtractor::new(&settings, 80);
            let (whole, part) =
                (extractor.compute(&audio).unwrap(), extractor.compute(&audio[3200..12_345]).unwrap());
            for frame in 2..part.nrows() - 2 {
                assert_eq!(part.row(frame), whole.row(frame + 20), "{settings:?} {frame}");
            }
        }
    }

    #[test]
    fn a_click_is_loudest_in_the_frame_centred_on_it() {
        for settings in presets() {
            let extractor = FeatureExtractor::new(&settings, 80);
            let centre = extractor.frame_centre(10);
            assert_eq!(extractor.frame_centre(11) - centre, STEP_SAMPLES as f64);
            let mut audio = [0.0; 4000];
            audio[centre as usize] = 0.5;
            let energies = extractor.compute(&audio).unwrap().sum_axis(ndarray::Axis(1));
            let loudest = (0..energies.len()).max_by(|&a, &b| energies[a].total_cmp(&energies[b]));
            assert_eq!(loudest, Some(10), "{settings:?}");
        }
    }
}
