//! The first stage: a pyannote-style segmentation network, which says of each frame of a window who
//! of a few local speakers talks. Architecture and powerset classes: Plaquet and Bredin, "Powerset
//! multi-class cross entropy loss for neural speaker diarization" (Interspeech 2023).

use ndarray::{Array2, Array3, ArrayView3, Axis, Ix3};

use super::metadata::check_sample_rate;
use crate::call::Call;
use crate::config::{Config, MAX_BATCH};
use crate::diarize::powerset::{Powerset, PowersetDecoding};
use crate::error::{Error, Result};
use crate::memory;
use crate::model::MAX_SAMPLES;
use crate::model::contract::SAMPLE_RATE;
use crate::model::rows::Rows;
use crate::model::source::ModelFile;
use crate::model::stretch::Stretch;
use crate::onnx::Description;
use crate::onnx::{Network, floats};

/// Window of a file that does not say, in samples: 10 s, as the pyannote models were trained with.
const USUAL_WINDOW: usize = 160_000;
/// Receptive field and step of the SincNet front end of pyannote's models, in samples.
const PYANNOTE_FIELD: (usize, usize) = (991, 270);
/// Frames that a network may give more or fewer than its receptive field says: exports differ in
/// how they pad.
const FRAMES_TOLERANCE: usize = 1;
/// A window in which no sample is larger is silence: the smallest step of 16-bit audio.
const SILENCE: f32 = 1.0 / 32_768.0;

/// A loaded segmentation network.
#[derive(Debug)]
pub(super) struct Segmentation {
    network: Network,
    powerset: Powerset,
    /// Samples of one window.
    pub(super) window: usize,
    /// Samples that one frame sees, and from one frame to the next.
    field: (usize, usize),
    /// Windows of every run, where the file fixes them.
    fixed_batch: Option<usize>,
    /// Whether the file fixes the length of the window.
    pub(super) fixed_window: bool,
    /// SHA-256 of the file.
    pub(super) sha256: String,
}

impl Segmentation {
    /// Loads the network of `file`, and runs it once to see what it gives.
    ///
    /// # Errors
    /// Those of [`Network::open`]; [`Error::Model`] names the tensor or metadata key that is not
    /// what a segmentation network has, and the option that supplies what is missing.
    pub(super) fn open(file: &ModelFile, config: &Config, call: &Call<'_>) -> Result<Self> {
        let ModelFile { label, bytes } = file;
        let (network, described) = Network::open(bytes, label, config, call, |described, _| described)?;
        check_sample_rate(&described)?;
        let (fixed_batch, fixed_samples) = input_sizes(&described)?;
        described.check_batch(fixed_batch, MAX_BATCH)?;
        let (window, place) = match fixed_samples {
            Some(samples) => (samples, "last axis of the input"),
            None => (described.number("window_size")?.unwrap_or(USUAL_WINDOW), "metadata `window_size`"),
        };
        if !(1..=MAX_SAMPLES).contains(&window) {
            return Err(
                described.broken(&format!("{place}: expected 1 to {MAX_SAMPLES} samples, found {window}"))
            );
        }
        let silence = memory::array("windows", (fixed_batch.unwrap_or(1), 1, window), 0.0)?;
        let scores = run(&network, silence.view(), call).map_err(|error| described.failing(error))?;
        let (_, frames, classes) = scores.dim();
        let powerset = powerset(&described, classes)?;
        let field = receptive_field(&described, config, window, frames)?;
        Ok(Segmentation {
            network,
            powerset,
            window,
            field,
            fixed_batch,
            fixed_window: fixed_samples.is_some(),
            sha256: bytes.sha256().to_owned(),
        })
    }

    /// Local speakers in a window.
    pub(super) fn speakers(&self) -> usize {
        self.powerset.speakers()
    }

    /// Samples from one frame to the next.
    pub(super) fn frame_step(&self) -> usize {
        self.field.1
    }

    /// Samples from the start of a window to the middle of its first frame.
    pub(super) fn frame_offset(&self) -> usize {
        self.field.0 / 2
    }

    /// Run slots that were made.
    pub(super) fn slots(&self) -> usize {
        self.network.slots()
    }

    /// Makes run slots, see [`Network::warm`].
    pub(super) fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        self.network.warm(slots, call)
    }

    /// What the network is used with: name and value.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let (size, step) = self.field;
        let fixed = if self.fixed_window { ", fixed by the file" } else { "" };
        vec![
            ("window", format!("{} s{fixed}", self.window as f64 / SAMPLE_RATE as f64)),
            ("frames", format!("{} of {size} samples, {step} apart", self.frames(self.window))),
            ("speakers", format!("{} in {} classes", self.speakers(), self.powerset.classes())),
            ("runs on", self.network.provider().name().to_owned()),
        ]
    }

    /// How active each local speaker is, 0 to 1, for each window: [frames, speakers]. Silent
    /// windows are not given to the network.
    pub(super) fn activity(
        &self,
        stretch: &Stretch,
        decoding: PowersetDecoding,
        batch: usize,
        call: &Call<'_>,
    ) -> Result<Vec<Array2<f32>>> {
        let rows = match self.fixed_batch {
            Some(fixed) => Rows::fixed(fixed),
            None => Rows::recurrent(self.network.provider(), batch),
        };
        self.activity_in(stretch, decoding, rows, call)
    }

    /// As [`Segmentation::activity`], by runs of `rows`.
    fn activity_in(
        &self,
        stretch: &Stretch,
        decoding: PowersetDecoding,
        rows: Rows,
        call: &Call<'_>,
    ) -> Result<Vec<Array2<f32>>> {
        let expected = self.frames(stretch.window);
        let silent = || memory::array("windows", (expected, self.speakers()), 0.0);
        let mut found = memory::with_capacity("windows", stretch.offsets.len())?;
        for _ in &stretch.offsets {
            found.push(silent()?);
        }
        let is_loud = |&index: &usize| stretch.window(index).iter().any(|sample| sample.abs() > SILENCE);
        let loud: Vec<usize> = (0..found.len()).filter(is_loud).collect();
        rows.for_each_run(stretch, &loud, self.network.input_memory(), |audio, taken| {
            let scores = run(&self.network, audio.insert_axis(Axis(1)), call)?;
            let frames = scores.dim().1;
            if frames.abs_diff(expected) > FRAMES_TOLERANCE {
                return Err(Error::Model(format!(
                    "{}: expected {expected} frames for {} samples, the network gave {frames}",
                    self.network.name(),
                    stretch.window
                )));
            }
            for (row, &index) in taken.iter().enumerate() {
                let mut activity = memory::array("windows", (frames, self.speakers()), 0.0)?;
                self.powerset.decode_into(scores.index_axis(Axis(0), row), decoding, activity.view_mut())?;
                found[index] = activity;
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Frames of a window of this many samples.
    fn frames(&self, samples: usize) -> usize {
        frames_of(samples, self.field)
    }
}

/// Frames that a network with this receptive field and step has for a number of samples.
fn frames_of(samples: usize, (size, step): (usize, usize)) -> usize {
    samples.checked_sub(size).map_or(1, |rest| rest / step + 1)
}

/// Batch and samples of the input, `None` where the file leaves them open.
fn input_sizes(described: &Description) -> Result<(Option<usize>, Option<usize>)> {
    const EXPECTED: &str =
        "one input float32 [batch, 1, samples] and an output float32 [batch, frames, classes]";
    match (&described.inputs[..], described.outputs.first()) {
        ([input], Some(output))
            if input.is_float(3) && matches!(input.sizes[1], None | Some(1)) && output.is_float(3) =>
        {
            Ok((input.sizes[0], input.sizes[2]))
        }
        _ => Err(described.wrong_tensors("a segmentation network", EXPECTED)),
    }
}

/// The classes, as the metadata says or as their number shows.
fn powerset(described: &Description, classes: usize) -> Result<Powerset> {
    let said = (described.number("num_speakers")?, described.number("powerset_max_classes")?);
    let powerset = match said {
        (Some(speakers), Some(together)) => Powerset::new(speakers, together),
        _ => Powerset::from_class_count(classes),
    }
    .map_err(|error| {
        described.broken(&format!(
            "{error}; the metadata keys `num_speakers` and `powerset_max_classes` tell which"
        ))
    })?;
    if powerset.classes() != classes {
        return Err(described.broken(&format!(
            "metadata `num_speakers`, `powerset_max_classes`: expected as many classes as the network gives, {classes}; \
             they stand for {}",
            powerset.classes()
        )));
    }
    Ok(powerset)
}

/// Receptive field and step: the option, the metadata, or that of pyannote's networks, whichever is
/// there first; it has to agree with the frames that the network gave for a window.
fn receptive_field(
    described: &Description,
    config: &Config,
    window: usize,
    frames: usize,
) -> Result<(usize, usize)> {
    let said = (described.number("receptive_field_size")?, described.number("receptive_field_shift")?);
    let (field, source) = match (config.segmentation_receptive_field(), said) {
        (Some(field), _) => (field, "option segmentation_receptive_field"),
        (None, (Some(size), Some(step))) => {
            ((size, step), "metadata `receptive_field_size`, `receptive_field_shift`")
        }
        _ => (
            PYANNOTE_FIELD,
            "metadata `receptive_field_size`, `receptive_field_shift`: missing, and not those of pyannote's networks, \
             which the option segmentation_receptive_field would replace",
        ),
    };
    let (size, step) = field;
    if !(1..=window).contains(&size) || !(1..=size).contains(&step) {
        return Err(described.broken(&format!(
            "{source}: expected a field of 1 to {window} samples and a step no larger, found {size} and {step}"
        )));
    }
    let found = frames_of(window, field);
    if found.abs_diff(frames) > FRAMES_TOLERANCE {
        return Err(described.broken(&format!(
            "{source}: expected the {frames} frames that the network gives for {window} samples, found {found} frames of \
             {size} samples, {step} apart"
        )));
    }
    Ok(field)
}

/// Scores of the classes: [batch, frames, classes].
fn run(network: &Network, audio: ArrayView3<'_, f32>, call: &Call<'_>) -> Result<Array3<f32>> {
    let standard = audio.as_standard_layout();
    let tensor = floats(standard.view())?;
    network.run([tensor], call, |outputs| {
        let array = outputs.first()?;
        let shape = array.shape().to_vec();
        let scores = array.into_dimensionality::<Ix3>().ok().filter(|scores| scores.dim().0 == audio.dim().0);
        let scores = scores.ok_or_else(|| {
            let batch = audio.dim().0;
            Error::Model(format!(
                "{}: expected an output [{batch}, frames, classes], the network gave {shape:?}",
                network.name()
            ))
        })?;
        memory::owned("outputs", &scores)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ModelSource, Provider};

    const SOFT: PowersetDecoding = PowersetDecoding::Soft { silence_weight: 0.5 };

    /// What PyTorch gives for the fixtures: tests/data/families/golden.json, which make_fixtures.py
    /// explains.
    #[test]
    fn networks_give_the_log_probabilities_of_pytorch() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/families");
        let text = std::fs::read(folder.join("golden.json")).unwrap();
        let golden: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let mut config = Config::default();
        config.set_threads(1).unwrap();
        for name in ["segmentation", "segmentation_no_metadata"] {
            let file = ModelFile::read(&ModelSource::File(folder.join(format!("{name}.onnx")))).unwrap();
            let segmentation = Segmentation::open(&file, &config, &Call::none()).unwrap();
            let golden = &golden[name];
            let mut noise = crate::noise::Noise::new(golden["seed"].as_u64().unwrap() as u32);
            let audio = Array3::from_shape_fn((1, 1, 32_000), |(_, _, sample)| {
                let level = if (sample / 4000).is_multiple_of(2) { 0.25 } else { 1.0 / 64.0 };
                noise.number() * level
            });
            let scores = run(&segmentation.network, audio.view(), &Call::none()).unwrap();
            assert_eq!(Some(scores.dim().1 as u64), golden["count"].as_u64());
            assert_eq!(segmentation.frames(32_000), scores.dim().1);
            let frames = golden["frames"].as_array().unwrap();
            for (frame, expected) in frames.iter().zip(golden["log_probabilities"].as_array().unwrap()) {
                let found = scores.slice(ndarray::s![0, frame.as_u64().unwrap() as usize, ..]).to_vec();
                let expected: Vec<f32> = serde_json::from_value(expected.clone()).unwrap();
                let far = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-3;
                assert!(!found.iter().zip(&expected).any(far), "{name} {frame}: {found:?}, not {expected:?}");
            }
        }
    }

    #[test]
    fn windows_have_the_same_activity_in_runs_filled_with_silence() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/families");
        let file = ModelFile::read(&ModelSource::File(folder.join("segmentation.onnx"))).unwrap();
        let mut config = Config::default();
        config.set_threads(1).unwrap();
        let segmentation = Segmentation::open(&file, &config, &Call::none()).unwrap();
        let window = segmentation.window;
        let mut noise = crate::noise::Noise::new(3);
        let mut audio: Vec<f32> = (0..2 * window).map(|_| noise.number() * 0.1).collect();
        // The window in the middle is silent.
        audio.splice(window..window, vec![0.0; window]);
        let offsets = vec![0, window, 2 * window - window / 3, 2 * window];
        let stretch = Stretch { audio, start: 0, window, frame: 640, offsets };
        let by = |provider, batch| {
            let rows = Rows::recurrent(provider, batch);
            segmentation.activity_in(&stretch, SOFT, rows, &Call::none()).unwrap()
        };
        let alone = by(Provider::Cpu, 1);
        assert!(alone[1].iter().all(|value| *value == 0.0) && alone[0].iter().any(|value| *value > 0.0));
        for (provider, batch) in [(Provider::Cpu, 8), (Provider::Cuda, 2), (Provider::TensorRt, 8)] {
            for (found, alone) in by(provider, batch).iter().zip(&alone) {
                let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
                assert!(found.dim() == alone.dim() && found.iter().zip(alone).all(near), "{provider:?}");
            }
        }
    }
}
