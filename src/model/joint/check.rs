//! Checks a joint model by running it: what shapes alone do not show. For model authors; loading a
//! model does less.

use ndarray::{Array2, ArrayView2, s};

use super::inference::Inference;
use super::session::{Opened, Session};
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::error::{Error, Result};
use crate::model::contract::SAMPLE_RATE;
use crate::model::tuning::Stated;
use crate::noise::Noise;
use crate::onnx::Plans;

/// How far from unit length an embedding may be.
const UNIT_TOLERANCE: f32 = 1e-3;
/// How far one row may differ when it is run with others.
const BATCH_TOLERANCE: f32 = 1e-3;
/// Loudness of the noise that the model is run on.
const AMPLITUDE: f32 = 0.1;

/// Checks the model of `source` against the contract: metadata, tensors, and a run on silence and
/// on noise, which tells wrong shapes, values that are not finite or out of range, embeddings that
/// are not of unit length, rows that depend on each other, and results that differ from the golden
/// vector. Gives what it would be used with, and every breach found, each with the tensor or key,
/// what was expected and what was found; none for a good model. The options of `config` apply, but
/// for its model.
///
/// # Errors
/// Those of [`Session::new`] that keep the model from being opened at all.
pub(in crate::model) fn check(source: &ModelSource, config: &Config) -> Result<(Facts, Vec<String>)> {
    let (stated, call) = (Stated::default(), Call::none());
    let Opened { session, mut breaches } = Session::open(source, stated, config, Plans::None, &call)?;
    // A network whose tensors are not known cannot be run.
    if breaches.is_empty() {
        if let Err(error) = session.check_frames(source, config, &call) {
            breaches.push(breach(error)?);
        }
        run(&session, &mut breaches)?;
        if let Err(error) = session.check_golden(source, &call) {
            breaches.push(breach(error)?);
        }
    }
    Ok((facts(&session), breaches))
}

/// What a model is used with: name and value.
type Facts = Vec<(&'static str, String)>;

fn facts(session: &Session) -> Facts {
    let info = session.info();
    let seconds = |samples: usize| samples as f64 / SAMPLE_RATE as f64;
    vec![
        ("window", format!("{} s, one every {} s", seconds(info.window_samples), seconds(info.hop_samples))),
        ("frames", format!("{} ms apart", 1000.0 * seconds(info.frame_step_samples))),
        ("speakers", info.max_speakers.to_string()),
        ("voice", format!("{} numbers", info.embedding_dim)),
        ("tuning", session.tuning().to_string()),
        ("runs on", info.provider.name().to_owned()),
    ]
}

/// The failures that are the model's own doing become breaches.
pub(in crate::model) fn breach(error: Error) -> Result<String> {
    match error {
        Error::Model(text) | Error::Runtime(text) => Ok(text),
        other => Err(other),
    }
}

fn run(session: &Session, breaches: &mut Vec<String>) -> Result<()> {
    let window = session.info().window_samples;
    let silence = Array2::<f32>::zeros((1, window));
    let noise = noise(window);
    let mut infer = |name: &str, audio: ArrayView2<f32>| {
        let mut out = Inference::default();
        match session.infer(audio, &mut out, &Call::none()) {
            Ok(()) => {
                check_values(name, &out, breaches);
                Ok(Some(out))
            }
            Err(error) => {
                let text = breach(error)?;
                breaches.push(format!("on {name} {:?}: {text}", audio.shape()));
                Ok(None)
            }
        }
    };
    infer("silence", silence.view())?;
    let both = infer("noise", noise.view())?;
    let alone = infer("one row of noise", noise.slice(s![..1, ..]))?;
    if let (Some(both), Some(alone)) = (both, alone) {
        let far = |a: &f32, b: &f32| (a - b).abs() > BATCH_TOLERANCE;
        let activity = both.activity.slice(s![..1, .., ..]);
        let embedding = both.embedding.slice(s![..1, .., ..]);
        let differs = activity.shape() != alone.activity.shape()
            || activity.iter().zip(&alone.activity).any(|(a, b)| far(a, b))
            || embedding.iter().zip(&alone.embedding).any(|(a, b)| far(a, b));
        if differs {
            breaches.push(
                "batch: expected the same results for a row alone and among others, found different ones"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

/// Two rows of different noise, the same on every run.
fn noise(samples: usize) -> Array2<f32> {
    let mut noise = Noise::new(7);
    Array2::from_shape_fn((2, samples), |_| noise.number() * AMPLITUDE)
}

fn check_values(name: &str, out: &Inference, breaches: &mut Vec<String>) {
    let outside = out.activity.iter().find(|value| !(0.0..=1.0).contains(*value));
    if let Some(value) = outside {
        breaches.push(format!("output `activity` on {name}: expected values from 0 to 1, found {value}"));
    }
    if let Some(value) = out.embedding.iter().find(|value| !value.is_finite()) {
        breaches.push(format!("output `embedding` on {name}: expected finite values, found {value}"));
        return;
    }
    for voice in out.embedding.rows() {
        let length = voice.dot(&voice).sqrt();
        if length != 0.0 && (length - 1.0).abs() > UNIT_TOLERANCE {
            breaches
                .push(format!("output `embedding` on {name}: expected length 1 or zeros, found {length}"));
            return;
        }
    }
}
