//! Every family of embedding networks gives what PyTorch gives (tests/data/families/golden.json),
//! and a network that was split gives nearly the voices of the whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Axis;

use super::*;

/// Largest difference to PyTorch's numbers, relative to the embedding's length.
const TOLERANCE: f32 = 1e-4;
/// Least cosine similarity of the voices of a split network's blocks and of one run over the
/// stretch: the margins leave out 3 % of the amplitude. Measured: 0.9999995.
const LEAST_SIMILARITY: f32 = 0.9999;
/// Networks that are split, and those that run as a whole.
const SPLIT: [&str; 5] = ["wespeaker_resnet34", "campplus", "campplus_batch1", "eres2net", "eres2netv2"];
const WHOLE: [&str; 3] = ["wespeaker_ecapa", "titanet", "speakernet"];

#[derive(serde::Deserialize)]
struct Golden {
    shape: Vec<usize>,
    seed: u32,
    scale: Option<f32>,
    embedding: Option<Vec<f32>>,
}

fn families() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/families")
}

fn source(name: &str) -> ModelSource {
    ModelSource::File(families().join(format!("{name}.onnx")))
}

fn config() -> Config {
    let mut config = Config::default();
    config.set_threads(1).unwrap();
    config.set_provider(Provider::Cpu, crate::config::ProviderPolicy::Required);
    let fetched = ".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1";
    let library = std::env::var_os("VOICEFLOW_ORT_LIBRARY")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(fetched), PathBuf::from);
    config.set_runtime_library(library);
    config
}

fn open(name: &str) -> Embedding {
    Embedding::open(EmbeddingFile::read(&source(name)).unwrap(), &config(), &Call::none()).unwrap()
}

/// The network as it is where it cannot be split.
fn unsplit(name: &str) -> Embedding {
    let mut embedding = open(name);
    let ModelFile { label, bytes } = ModelFile::read(&source(name)).unwrap();
    embedding.pooling = Network::open(&bytes, &label, &config(), &Call::none(), |_, _| ()).unwrap().0;
    embedding.frames = None;
    embedding
}

/// Numbers of the generator of make_fixtures.py, in [-1, 1).
fn generator(seed: u32) -> impl FnMut() -> f32 {
    let mut noise = Noise::new(seed);
    move || noise.number()
}

/// The embedding of features [frames, bins], which are given to the network as they are.
fn embed(embedding: &Embedding, features: Array2<f32>) -> Array1<f32> {
    let none = Call::none();
    let input = match &embedding.frames {
        Some((network, axis)) => {
            let wanted = vec![true; features.nrows()];
            let frames = Frames::compute(network, *axis, &features, &wanted, &none).unwrap();
            frames.gather(&(0..frames.count()).collect::<Vec<_>>()).unwrap()
        }
        None if embedding.layout.bins_first => features.reversed_axes().into_dyn(),
        None => features.into_dyn(),
    };
    embedding.pool(&[input], &none).unwrap().row(0).to_owned()
}

/// Syllables of noise, a quarter of a second each, of changing colour and loudness, with pauses.
fn syllables(seconds: usize) -> Vec<f32> {
    let mut next = generator(7);
    let mut before = 0.0;
    (0..seconds * 16_000)
        .map(|index| {
            let (syllable, at) = (index / 4000, (index % 4000) as f32 / 4000.0);
            let colour = [0.95, 0.5, -0.3, 0.8, 0.0][syllable % 5];
            before = colour * before + next() * (1.0 - f32::abs(colour));
            let loud = if syllable % 7 == 6 { 0.001 } else { 0.3 };
            before * loud * (std::f32::consts::PI * at).sin()
        })
        .collect()
}

/// The audio between pairs of samples.
fn crop(spans: &[(usize, usize)]) -> Crop {
    let window = 0..spans.last().map_or(0, |&(_, end)| end);
    Crop { spans: spans.iter().map(|&(start, end)| start..end).collect(), window }
}

/// Crops at both ends, in the middle and of several spans of 20 s.
fn crops_of_20_s() -> Vec<Crop> {
    vec![
        crop(&[(0, 320_000)]),
        crop(&[(0, 40_000)]),
        crop(&[(130_000, 180_000)]),
        crop(&[(280_000, 320_000)]),
        crop(&[(10_000, 30_000), (100_000, 124_000), (250_000, 290_000)]),
    ]
}

fn voice(embedding: &Embedding, audio: &[f32], crop: &Crop) -> Array1<f32> {
    let voices = embedding.voices(audio, std::slice::from_ref(crop), None, 1, &Call::none()).unwrap();
    voices.into_iter().next().unwrap().unwrap()
}

fn similarity(a: &Array1<f32>, b: &Array1<f32>) -> f32 {
    a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt())
}

#[test]
fn networks_give_the_embeddings_of_pytorch() {
    let text = std::fs::read(families().join("golden.json")).unwrap();
    let golden: BTreeMap<String, Golden> = serde_json::from_slice(&text).unwrap();
    let mut tried = Vec::new();
    for (name, golden) in &golden {
        let (Some(expected), Some(scale)) = (&golden.embedding, golden.scale) else { continue };
        let embedding = open(name);
        let mut next = generator(golden.seed);
        let mut features =
            Array2::from_shape_simple_fn((golden.shape[1], golden.shape[2]), || next() * scale);
        if embedding.layout.bins_first {
            features = features.reversed_axes();
        }
        let expected = Array1::from(expected.clone());
        for embedding in [&embedding, &unsplit(name)] {
            let found = embed(embedding, features.clone());
            let error = &found - &expected;
            let error = (error.dot(&error) / expected.dot(&expected)).sqrt();
            println!("{name}: {error:.1e}");
            assert!(error < TOLERANCE, "{name}: {found} instead of {expected}");
        }
        assert_eq!(embedding.frames.is_some(), SPLIT.contains(&name.as_str()), "{name}");
        tried.push(name.clone());
    }
    assert_eq!(tried.len(), SPLIT.len() + WHOLE.len());
}

/// What a split network would give if its frames were made in one run over the whole stretch.
fn voice_in_one_run(embedding: &Embedding, audio: &[f32], crop: &Crop) -> Array1<f32> {
    let (network, axis) = embedding.frames.as_ref().unwrap();
    let mut features = embedding.extractor.compute(audio).unwrap();
    let inside =
        |sample: f64| crop.spans.iter().any(|span| (span.start as f64..span.end as f64).contains(&sample));
    let centre = |frame: f64| embedding.extractor.frame_centre(0) + frame * STEP_SAMPLES as f64;
    let counted: Vec<bool> = (0..features.nrows()).map(|frame| inside(centre(frame as f64))).collect();
    embedding.extractor.normalize_by(&mut features, &counted);
    let input = features.insert_axis(Axis(0));
    let tensor = floats(input.view()).unwrap();
    let read = |outputs: Outputs<'_, '_>| Ok(outputs.first()?.to_owned());
    let tensor = network.run([tensor], &Call::none(), read).unwrap();
    let rows =
        (0..tensor.shape()[axis.axis]).filter(|row| inside(centre(axis.offset + (row * axis.stride) as f64)));
    let input = tensor.select(Axis(axis.axis), &rows.collect::<Vec<_>>()).index_axis_move(Axis(0), 0);
    embedding.pool(&[input], &Call::none()).unwrap().row(0).to_owned()
}

#[test]
fn blocks_with_margins_give_the_voices_of_one_run() {
    let audio = syllables(20);
    for name in SPLIT {
        let split = open(name);
        for crop in crops_of_20_s() {
            let found = similarity(&voice(&split, &audio, &crop), &voice_in_one_run(&split, &audio, &crop));
            println!("{name} {:?}: {found}", crop.spans);
            assert!(found > LEAST_SIMILARITY, "{name} {:?}: {found}", crop.spans);
        }
    }
}

#[test]
fn split_networks_give_the_voices_of_the_whole_but_for_context() {
    // The whole network is given the crop's features alone, and sees zeros beyond their ends where
    // a split one sees what was said there. With random weights that matters as much as beginning
    // the crop up to 80 ms earlier.
    let audio = syllables(20);
    for name in SPLIT {
        let (split, whole) = (open(name), unsplit(name));
        let all = crop(&[(0, 320_000)]);
        assert!(similarity(&voice(&split, &audio, &all), &voice(&whole, &audio, &all)) > 0.999, "{name}");
        for (start, end) in [(130_000, 180_000), (60_000, 220_000), (40_000, 300_000)] {
            let own = voice(&whole, &audio, &crop(&[(start, end)]));
            let shifted = |frames: usize| {
                let start = start - frames * STEP_SAMPLES;
                similarity(&own, &voice(&whole, &audio, &crop(&[(start, end)])))
            };
            let usual = (1..=8).map(shifted).fold(1.0, f32::min);
            let found = similarity(&own, &voice(&split, &audio, &crop(&[(start, end)])));
            println!("{name} {start}..{end}: {found}, shifted {usual}");
            assert!(found > usual, "{name} {start}..{end}: {found}, shifted {usual}");
        }
    }
}

#[test]
fn whole_networks_are_given_the_features_of_the_crop_alone() {
    let audio = syllables(20);
    for name in WHOLE {
        let embedding = open(name);
        let features = embedding.extractor.compute(&audio).unwrap();
        for crop in crops_of_20_s() {
            let inside = |frame: &usize| {
                let centre = embedding.extractor.frame_centre(*frame);
                crop.spans.iter().any(|span| (span.start as f64..span.end as f64).contains(&centre))
            };
            let frames: Vec<usize> = (0..features.nrows()).filter(inside).collect();
            let mut cut = features.select(Axis(0), &frames);
            embedding.extractor.normalize(&mut cut.view_mut());
            assert_eq!(voice(&embedding, &audio, &crop), embed(&embedding, cut), "{name} {:?}", crop.spans);
        }
    }
}

#[test]
fn crops_of_one_stretch_do_not_disturb_each_other() {
    let audio = syllables(20);
    for name in ["wespeaker_resnet34", "wespeaker_ecapa", "campplus_batch1"] {
        let embedding = open(name);
        let mut crops = crops_of_20_s();
        crops.extend([Crop::default(), crop(&[(0, 1000)]), crop(&[(319_999, 320_000)])]);
        let many = embedding.voices(&audio, &crops, None, 1, &Call::none()).unwrap();
        assert_eq!(
            many.iter().map(Option::is_some).collect::<Vec<_>>(),
            [[true; 5].as_slice(), &[false; 3]].concat()
        );
        for batch in [3, 8] {
            let others = embedding.voices(&audio, &crops, None, batch, &Call::none()).unwrap();
            for (a, b) in many.iter().flatten().zip(others.iter().flatten()) {
                assert!(similarity(a, b) > 0.99, "{name}, {batch} at once: {}", similarity(a, b));
            }
        }
    }
}

#[test]
fn spans_between_the_frames_of_a_split_network_have_no_voice() {
    let embedding = open("wespeaker_resnet34");
    let (_, axis) = embedding.frames.as_ref().unwrap();
    // One frame of the features in each stride, as far as possible from the network's own.
    let step = axis.stride * STEP_SAMPLES;
    let far = (axis.offset * STEP_SAMPLES as f64) as usize + 200 + step / 2;
    let crop = crop(&(0..30).map(|n| (far + n * step, far + n * step + STEP_SAMPLES)).collect::<Vec<_>>());
    assert_eq!(crop.samples(), 30 * STEP_SAMPLES);
    let voices = embedding.voices(&syllables(20), &[crop], None, 8, &Call::none()).unwrap();
    assert_eq!(voices, [None]);
}
