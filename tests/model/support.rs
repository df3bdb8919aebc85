//! What the tests share: the fixtures, the fetched runtime, sound to run on.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use voiceflow::model::Session;
use voiceflow::{Config, ModelSource};

/// The runtime that scripts/fetch_runtime.sh puts into this checkout.
pub fn runtime() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".runtime/onnxruntime-1.31.1")
        .join("libonnxruntime.so.1.31.1");
    assert!(path.exists(), "{}: not there; run scripts/fetch_runtime.sh", path.display());
    path
}

/// A fixture of tests/data/models.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models").join(name)
}

/// Options for a fixture on the fetched runtime, one thread.
pub fn config(name: &str) -> Config {
    let mut config = Config::default();
    config.set_model(ModelSource::File(fixture(name)));
    config.set_runtime_library(runtime());
    config.set_threads(1).unwrap();
    config
}

pub fn session(name: &str) -> Session {
    Session::new(&config(name)).unwrap()
}

/// Noise, different in every row and for every seed.
pub fn noise(batch: usize, samples: usize, seed: u32) -> Array2<f32> {
    let mut state = seed;
    Array2::from_shape_fn((batch, samples), |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    })
}
