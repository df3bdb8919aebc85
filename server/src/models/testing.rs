//! What unit tests share: models that are really loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;

use super::{Bundle, Models};
use crate::config::{Arguments, Config};
use crate::metrics::Metrics;

/// The root of the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The configuration with these keys, on the runtime of the tests.
pub fn config(keys: &[&str]) -> Config {
    let of_checkout = || root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    let runtime = std::env::var_os("VOICEFLOW_ORT_LIBRARY").map_or_else(of_checkout, PathBuf::from);
    let own = format!("model.runtime={}", runtime.display());
    // Whatever else the machine does, nobody waits long.
    let keys = [own.as_str(), "model.bundle=fast-cnn", "live.capacity=4", "batch.niceness=0"]
        .into_iter()
        .chain(keys.iter().copied());
    let arguments = ["voiceflow-server"].into_iter().chain(keys.flat_map(|key| ["--set", key]));
    Config::load(&Arguments::try_parse_from(arguments).unwrap(), std::iter::empty()).unwrap()
}

/// The models that are compiled in, of the arm `stable`.
pub fn bundle(metrics: &Arc<Metrics>) -> Arc<Bundle> {
    let models = Models::new(&config(&[]), metrics.clone()).unwrap();
    models.load("stable", models.shelf.find(Some("fast-cnn")).unwrap()).unwrap()
}

/// The same models as a bundle of this name below `folder`; its path.
pub fn copy(folder: &Path, name: &str) -> String {
    let bundle = folder.join(name);
    std::fs::create_dir(&bundle).unwrap();
    std::fs::copy(root().join("models/fast-cnn/1.0.1/model.onnx"), bundle.join("model.onnx")).unwrap();
    bundle.to_str().unwrap().to_owned()
}
