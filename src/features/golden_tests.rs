//! Every preset gives what the toolkit that defines it gives: tests/golden/features.json, which
//! tests/python/make_feature_golden.py writes and explains.

use ndarray::{Array2, ArrayView2, Axis};

use super::{FeatureExtractor, FeatureSettings};
use crate::config::Frontend::{Sherpa, Trained};
use crate::noise::Noise;

/// Largest difference allowed; the toolkits compute in single precision.
const TOLERANCE: f32 = 1e-4;

#[derive(serde::Deserialize)]
struct Golden {
    normalized_step: usize,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    shape: (usize, usize),
    features: Vec<f32>,
    normalized: Vec<f32>,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/features.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The signal of make_feature_golden.py.
fn signal() -> Vec<f32> {
    let mut noise = Noise::new(1);
    let sample = |i: usize| {
        let noise = f64::from(noise.number());
        let buzz = (i % 128) as f64 / 64.0 - 1.0;
        let level = [0.1, 0.0, 0.001, 0.9, 0.9][i / 2000];
        (level * (0.8 * buzz + 0.2 * noise)) as f32
    };
    (0..8100).map(sample).collect()
}

fn settings(name: &str) -> FeatureSettings {
    match name {
        "wespeaker trained" => FeatureSettings::wespeaker(Trained),
        "wespeaker sherpa" => FeatureSettings::wespeaker(Sherpa),
        "three_d_speaker trained" => FeatureSettings::three_d_speaker(Trained),
        "three_d_speaker sherpa" => FeatureSettings::three_d_speaker(Sherpa),
        "titanet trained" => FeatureSettings::nemo(Trained),
        "titanet sherpa" => FeatureSettings::nemo(Sherpa),
        "speakernet trained" => FeatureSettings::nemo(Trained).with_frame_ms(20).unwrap(),
        "speakernet sherpa" => FeatureSettings::nemo(Sherpa).with_frame_ms(20).unwrap(),
        other => panic!("{other}: no such preset"),
    }
}

/// Asserts that no value differs from the toolkit's.
fn assert_equal(name: &str, found: ArrayView2<'_, f32>, expected: Vec<f32>) {
    let expected = Array2::from_shape_vec(found.dim(), expected).unwrap();
    let worst = (&found - &expected).iter().fold(0.0, |worst: f32, x| worst.max(x.abs()));
    println!("{name}: {worst:.1e}");
    assert!(found.iter().all(|x| x.is_finite()) && worst <= TOLERANCE, "{name}: differs by {worst}");
}

#[test]
fn features_are_those_of_the_toolkits() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 8);
    for case in golden.cases {
        let extractor = FeatureExtractor::new(&settings(&case.name), case.shape.1);
        let mut features = extractor.compute(&signal()).unwrap();
        assert_eq!(features.dim(), case.shape, "{}", case.name);
        assert_equal(&case.name, features.view(), case.features);
        extractor.normalize(&mut features.view_mut());
        let every = ndarray::Slice::from(..).step_by(golden.normalized_step as isize);
        assert_equal(
            &format!("{} normalized", case.name),
            features.slice_axis(Axis(0), every),
            case.normalized,
        );
    }
}
