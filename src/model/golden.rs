//! The golden vector: one fixed input and what the model gave for it where it was exported.
//! Compared when a model is loaded, so that a runtime that computes wrong results on this processor
//! is found before it does harm.
//!
//! The file is `{"format": 1, "samples": 32000, "tolerance": 0.001, "model_sha256": "...",
//! "activity": {"shape": [F, S], "data": [...]}, "embedding": {"shape": [S, D], "data": [...]}}`;
//! the tolerance may be absent. The exporter makes it in
//! models/diarization/voiceflow_models/export/golden.py from the same input, in double precision,
//! rounded at the end:
//!
//! ```text
//! state(0) = 1,  state(i+1) = (1664525 * state(i) + 1013904223) mod 2^32
//! noise(i) = floor(state(i+1) / 2^8) / 2^24 * 2 - 1
//! buzz(i)  = (i mod 128) / 64 - 1                 a sawtooth of 125 Hz, the pitch of a low voice
//! gate(i)  = 1 if floor(i / 3200) is even else 0  syllables of 0.2 s
//! x(i)     = 0.05 * noise(i) + 0.2 * buzz(i) * gate(i)
//! ```

use ndarray::Array2;

use super::contract::ModelInfo;
use super::joint::Inference;
use crate::config::Provider;
use crate::memory;
use crate::noise::Noise;

/// Format of the file that this library reads.
const FORMAT: u32 = 1;
/// Length of the input in samples: 2 s.
const SAMPLES: usize = 32_000;
/// Largest difference allowed on the CPU where the file does not say: other processors order their
/// sums differently, and no more.
const TOLERANCE: f32 = 1e-3;
/// Most that a file may allow: with more, a network that computes wrong results could pass. A model
/// in eight bits needs more than one in float32, for what is rounded may be rounded the other way.
const MAX_TOLERANCE: f32 = 0.1;
/// Largest difference allowed on a GPU, where convolutions may run in TF32 (10 bits of mantissa).
const GPU_TOLERANCE: f32 = 2e-2;

/// The file.
#[derive(serde::Deserialize)]
pub(super) struct Golden {
    format: u32,
    samples: usize,
    #[serde(default = "usual_tolerance")]
    tolerance: f32,
    model_sha256: String,
    activity: Expected,
    embedding: Expected,
}

fn usual_tolerance() -> f32 {
    TOLERANCE
}

/// An output of the model for that one input.
#[derive(serde::Deserialize)]
struct Expected {
    shape: [usize; 2],
    #[serde(deserialize_with = "memory::deserialize")]
    data: Vec<f32>,
}

/// The input of the golden vector: float32, 2 s at 16 kHz, one row.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn golden_input() -> crate::Result<Array2<f32>> {
    let mut noise = Noise::new(1);
    let mut input = memory::array("golden vector", (1, SAMPLES), 0.0)?;
    for (i, sample) in input.iter_mut().enumerate() {
        let noise = f64::from(noise.number());
        let buzz = (i % 128) as f64 / 64.0 - 1.0;
        let gate = if (i / 3200).is_multiple_of(2) { 1.0 } else { 0.0 };
        *sample = (0.05 * noise + 0.2 * buzz * gate) as f32;
    }
    Ok(input)
}

impl Golden {
    /// Reads the file. `Ok(None)` when it belongs to another model.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn parse(bytes: &[u8], info: &ModelInfo) -> Result<Option<Self>, String> {
        let golden: Golden = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if golden.format != FORMAT || golden.samples != SAMPLES {
            let Golden { format, samples, .. } = golden;
            return Err(format!(
                "expected format {FORMAT} with {SAMPLES} samples, found format {format} with {samples}"
            ));
        }
        if !(golden.tolerance > 0.0 && golden.tolerance <= MAX_TOLERANCE) {
            return Err(format!(
                "expected a tolerance above 0 and at most {MAX_TOLERANCE}, found {}",
                golden.tolerance
            ));
        }
        Ok((golden.model_sha256 == info.sha256).then_some(golden))
    }

    /// Compares what the model gave for [`golden_input`] with the file.
    ///
    /// # Errors
    /// The output that differs, and by how much.
    pub(super) fn check(&self, found: &Inference, provider: Provider) -> Result<(), String> {
        let least = if provider == Provider::Cpu { 0.0 } else { GPU_TOLERANCE };
        let tolerance = self.tolerance.max(least);
        self.activity.check("activity", found.activity.shape(), found.activity.iter(), tolerance)?;
        self.embedding.check("embedding", found.embedding.shape(), found.embedding.iter(), tolerance)
    }
}

impl Expected {
    fn check<'a>(
        &self,
        name: &str,
        shape: &[usize],
        found: impl Iterator<Item = &'a f32>,
        tolerance: f32,
    ) -> Result<(), String> {
        let [rows, columns] = self.shape;
        if shape.get(1..) != Some(&self.shape[..]) || rows.checked_mul(columns) != Some(self.data.len()) {
            return Err(format!(
                "{name}: expected shape {:?} with {} values, the network gave {shape:?}",
                self.shape,
                self.data.len()
            ));
        }
        // A NaN is a difference of any size.
        let difference = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
        let worst = self.data.iter().zip(found).map(difference).fold(0.0, f32::max);
        if worst > tolerance {
            return Err(format!(
                "{name}: expected the known values within {tolerance}, they differ by {worst}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_the_exporters() {
        let input = golden_input().unwrap();
        // As golden.py prints them.
        let first = [-0.226_354_45_f32, -0.209_947_94, -0.193_325_8, -0.170_136_68];
        assert_eq!(input.row(0).to_vec()[..4], first);
        assert_eq!(input[[0, SAMPLES - 1]], 0.006_172_591_4);
        let sum: f64 = input.iter().map(|x| f64::from(*x)).sum();
        assert!((sum + 29.234_059_465).abs() < 1e-6, "{sum}");
    }

    #[cfg(feature = "embedded-model")]
    #[test]
    fn the_embedded_golden_vector_belongs_to_the_embedded_model() {
        use super::super::embedded;
        use crate::onnx::sha256;
        let golden: Golden = serde_json::from_slice(embedded::golden().unwrap()).unwrap();
        assert_eq!(golden.model_sha256, sha256(embedded::model().unwrap()));
    }

    #[test]
    fn differences_and_nan_are_found() {
        let expected = Expected { shape: [1, 2], data: vec![0.5, 0.25] };
        let check = |data: [f32; 2]| expected.check("x", &[1, 1, 2], data.iter(), 1e-3);
        assert_eq!(check([0.5005, 0.25]), Ok(()));
        assert!(check([0.5, 0.5]).unwrap_err().contains("differ by 0.25"));
        assert!(check([f32::NAN, 0.25]).unwrap_err().contains("differ by inf"));
        assert!(expected.check("x", &[1, 2, 1], [0.5, 0.25].iter(), 1.0).is_err());
    }
}
