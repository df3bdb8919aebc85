//! Looks for the last tensor of an embedding network that still has frames, each of which depends
//! on its neighbourhood alone. Found by running the network, so that it holds for any graph: what a
//! frame depends on is seen by changing one frame of the input.

use ndarray::{Array2, ArrayD};

use super::graph::Graph;
use super::probe::Probe;
use crate::call::Call;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::memory;
use crate::noise::Noise;
use crate::onnx::ModelBytes;

/// Fewest layers in the first part: to compute one layer once spares nothing.
const LEAST_LAYERS: usize = 2;
/// Frames of the two inputs by which the axis of the frames is told from others.
const SHORT: usize = 320;
const LONG: usize = 480;
/// Frames of the input of which one is changed, and which one.
const PROBED: usize = 1600;
const CHANGED: usize = 800;
/// Farthest that a frame may look to each side: 5 s.
const FARTHEST: usize = 500;
/// A change smaller than this share of the largest is none.
const NOTHING: f32 = 1e-6;
/// Share of a change's energy that the margin around a block of frames may leave out: 3 % of its
/// amplitude.
const LEFT_OUT: f64 = 1e-3;
/// Longest margin: 0.24 s. Deep networks see farther, but little; where crops are cut out of the
/// audio first, as is usual, their ends have none at all.
const LONGEST_MARGIN: usize = 24;
/// How far the two parts together may be from the whole, relative to the length of the embedding.
const TOLERANCE: f32 = 1e-3;

/// Where the frames of a tensor lie.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub(in crate::model) struct FrameAxis {
    /// The axis of the tensor that counts frames.
    pub(in crate::model) axis: usize,
    /// Frames of the features for one of the tensor.
    pub(in crate::model) stride: usize,
    /// Frame of the features in the middle of what the tensor's first frame sees.
    pub(in crate::model) offset: f64,
    /// Frames of the features to each side on which a frame of the tensor depends.
    pub(in crate::model) margin: usize,
}

impl FrameAxis {
    /// Whether a split can have found it: one read from a file may be anything.
    pub(in crate::model) fn is_possible(&self) -> bool {
        let most = FARTHEST.next_multiple_of(LONG - SHORT);
        (1..=LONG - SHORT).contains(&self.stride)
            && self.axis > 0
            && self.margin <= most
            && self.margin.is_multiple_of(self.stride)
            && self.offset.abs() <= PROBED as f64
    }
}

/// A network in two parts, each an ONNX file with the metadata of the whole.
#[derive(Clone, Debug)]
pub(in crate::model) struct Split {
    /// From features [batch, frames, bins] to the tensor at the cut.
    pub(in crate::model) frames: ModelBytes,
    /// From the tensor, with any number of frames, to the embedding.
    pub(in crate::model) pooling: ModelBytes,
    /// The frames of the tensor.
    pub(in crate::model) axis: FrameAxis,
    /// The name of the tensor.
    pub(in crate::model) tensor: String,
}

/// A place where the network may be cut.
struct Place {
    tensor: String,
    axis: usize,
    stride: usize,
    sizes: Vec<Option<usize>>,
}

/// Splits the network `model` with the input `input` [batch, frames, `bins`] and the output
/// `output`. The inner `Err` holds the reason why it cannot be split; a part that cannot be run, as
/// one that ends in numbers other than float32, is such a reason.
///
/// # Errors
/// [`Error::Provider`], [`Error::Cancelled`], [`Error::Deadline`] and others that are not the
/// network's doing.
pub(in crate::model) fn split(
    model: &[u8],
    input: &str,
    bins: usize,
    output: &str,
    config: &Config,
    call: &Call<'_>,
) -> Result<std::result::Result<Split, String>> {
    match look(model, input, bins, output, &Probe::new(config, call)?) {
        Err(Error::Model(reason) | Error::Runtime(reason)) => Ok(Err(reason)),
        found => found,
    }
}

fn look(
    model: &[u8],
    input: &str,
    bins: usize,
    output: &str,
    probe: &Probe<'_>,
) -> Result<std::result::Result<Split, String>> {
    let graph = match Graph::parse(model) {
        Ok(graph) => graph,
        Err(reason) => return Ok(Err(format!("its graph cannot be read: {reason}"))),
    };
    let cuts = graph.cuts(input, output);
    let mut places = places(&graph, &cuts, bins, probe)?;
    places.retain(|place| graph.layers(&place.tensor) >= LEAST_LAYERS);
    // Once a frame depends on all others, so do the frames of every later tensor.
    let (mut local, mut rest) = (0, places.len());
    let mut found = None;
    let mut next = rest.saturating_sub(1);
    while local < rest {
        match neighbourhood(&graph, &places[next], bins, probe)? {
            Some(axis) => {
                local = next + 1;
                found = Some((next, axis));
            }
            None => rest = next,
        }
        next = local + (rest - local) / 2;
    }
    let Some((index, axis)) = found else {
        return Ok(Err("its frames depend on all others from the first layers on".to_owned()));
    };
    let place = places.swap_remove(index);
    let split = Split {
        frames: ModelBytes::new(graph.head(&[&place.tensor])?),
        pooling: ModelBytes::new(graph.tail(&place.tensor, &place.sizes, output)?),
        axis,
        tensor: place.tensor,
    };
    let difference = difference(model, &split, bins, probe)?;
    if difference > TOLERANCE {
        return Ok(Err(format!("its parts give another embedding than the whole, by {difference}")));
    }
    Ok(Ok(split))
}

/// The cuts whose tensors have an axis of frames.
fn places(graph: &Graph<'_>, cuts: &[String], bins: usize, probe: &Probe<'_>) -> Result<Vec<Place>> {
    let names: Vec<&str> = cuts.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let model = graph.head(&names)?;
    let short = probe.run(&model, noise(SHORT, bins)?)?;
    let long = probe.run(&model, noise(LONG, bins)?)?;
    let places = cuts.iter().zip(short.iter().zip(&long)).filter_map(|(tensor, (short, long))| {
        let (short, long) = (short.shape(), long.shape());
        let grown: Vec<usize> =
            (0..short.len().min(long.len())).filter(|&axis| short[axis] != long[axis]).collect();
        let [axis] = grown[..] else { return None };
        let more = long[axis].checked_sub(short[axis])?;
        let whole = short.len() == long.len() && more > 0 && (LONG - SHORT).is_multiple_of(more);
        let stride = (LONG - SHORT).checked_div(more)?;
        // Without padding there are fewer frames than blocks of the features are asked for.
        let padded = short[axis] == SHORT.div_ceil(stride.max(1));
        // The first axis is that of the batch.
        (whole && padded && axis > 0).then(|| Place {
            tensor: tensor.clone(),
            axis,
            stride,
            sizes: (0..short.len()).map(|at| (at != 0 && at != axis).then_some(short[at])).collect(),
        })
    });
    Ok(places.collect())
}

/// What the frames of the tensor at `place` depend on; `None` when that is more than their
/// neighbourhood.
fn neighbourhood(
    graph: &Graph<'_>,
    place: &Place,
    bins: usize,
    probe: &Probe<'_>,
) -> Result<Option<FrameAxis>> {
    let model = graph.head(&[&place.tensor])?;
    let mut features = noise(PROBED, bins)?;
    let before = probe.run_one(&model, memory::owned("features", &features.view())?)?;
    features.row_mut(CHANGED).mapv_inplace(|value| 1.0 - value);
    let mut change = probe.run_one(&model, features)?;
    if before.shape() != change.shape() || before.ndim() <= place.axis {
        return Ok(None);
    }
    change -= &before;
    let frames = change.axis_iter(ndarray::Axis(place.axis));
    let (largest, energy): (Vec<f32>, Vec<f64>) = frames
        .map(|frame| {
            let largest = frame.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            (largest, frame.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>())
        })
        .unzip();
    let most = largest.iter().copied().fold(0.0f32, f32::max);
    let total: f64 = energy.iter().sum();
    if most.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) || !total.is_finite() {
        return Ok(None);
    }
    let centre: f64 =
        energy.iter().enumerate().map(|(frame, energy)| frame as f64 * energy).sum::<f64>() / total;
    let distance = |frame: usize| (frame as f64 - centre).abs() * place.stride as f64;
    let far = |(frame, change): (usize, &f32)| distance(frame) > FARTHEST as f64 && *change > most * NOTHING;
    if largest.iter().enumerate().any(far) {
        return Ok(None);
    }
    let beyond = |radius: usize| -> f64 {
        let outside = energy.iter().enumerate().filter(|(frame, _)| distance(*frame) > radius as f64);
        outside.map(|(_, energy)| energy).sum()
    };
    let steps = (0..=FARTHEST).step_by(place.stride);
    let margin = steps.into_iter().find(|&radius| beyond(radius) <= total * LEFT_OUT).unwrap_or(FARTHEST);
    let margin = margin.next_multiple_of(place.stride).min(LONGEST_MARGIN / place.stride * place.stride);
    Ok(Some(FrameAxis {
        axis: place.axis,
        stride: place.stride,
        offset: CHANGED as f64 - centre * place.stride as f64,
        margin,
    }))
}

/// How far the parts together are from the whole, relative to the embedding's length.
fn difference(model: &[u8], split: &Split, bins: usize, probe: &Probe<'_>) -> Result<f32> {
    let whole = probe.run_one(model, noise(SHORT, bins)?)?;
    let frames = probe.run_one(&split.frames, noise(SHORT, bins)?)?;
    let mut parts = probe.run_one_array(&split.pooling, frames)?;
    if parts.shape() != whole.shape() {
        return Ok(f32::INFINITY);
    }
    let length = |values: &ArrayD<f32>| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    parts -= &whole;
    let difference = length(&parts) / length(&whole);
    Ok(if difference.is_nan() { f32::INFINITY } else { difference })
}

/// Features that look like mean-normalised log mel energies: [frames, bins], the same on every run.
fn noise(frames: usize, bins: usize) -> Result<Array2<f32>> {
    let mut noise = Noise::new(1);
    let mut features = memory::array("features", (frames, bins), 0.0)?;
    features.iter_mut().for_each(|value| *value = 2.0 * noise.number());
    Ok(features)
}
