//! The model compiled into the library, and the only line that says which one that is.

/// The default model and its golden vector.
#[cfg(feature = "embedded-model")]
macro_rules! default_model {
    ($file:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/models/fast-cnn/1.0.1/", $file)
    };
}

/// The embedded ONNX file, `None` when the library was built without the feature `embedded-model`.
pub(super) fn model() -> Option<&'static [u8]> {
    #[cfg(feature = "embedded-model")]
    return Some(include_bytes!(default_model!("model.onnx")));
    #[cfg(not(feature = "embedded-model"))]
    None
}

/// The golden vector of the embedded model.
pub(super) fn golden() -> Option<&'static [u8]> {
    #[cfg(feature = "embedded-model")]
    return Some(include_bytes!(default_model!("golden.json")));
    #[cfg(not(feature = "embedded-model"))]
    None
}
