//! The models compiled into the library, and the only lines that say which those are.

/// Name of the joint model, which `embedded-model` compiles in.
pub(super) const JOINT: &str = "fast-cnn";
/// Voice space of the joint model, as its metadata.json states it.
pub(super) const JOINT_VOICE_SPACE: &str = "fast-cnn-1";
/// Name of the pair, which `accurate-model` compiles in.
pub(super) const PAIR: &str = "accurate";

/// A file of the joint model.
#[cfg(feature = "embedded-model")]
macro_rules! joint_file {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/fast-cnn/1.0.1/", $file))
    };
}

/// A file of the pair, which the build script found.
#[cfg(feature = "accurate-model")]
macro_rules! pair_file {
    ($file:literal) => {
        include_bytes!(concat!(env!("VOICEFLOW_ACCURATE"), "/", $file))
    };
}

/// The files of an embedded pair, as those of a bundle.
#[derive(Clone, Copy)]
pub(super) struct EmbeddedPair {
    /// `metadata.json`.
    pub(super) metadata: &'static [u8],
    /// `segmentation.onnx`.
    pub(super) segmentation: &'static [u8],
    /// `embedding.import.json`: where the embedding network is split.
    pub(super) import: &'static [u8],
    /// `embedding.frames.onnx`.
    pub(super) frames: &'static [u8],
    /// `embedding.pooling.onnx`.
    pub(super) pooling: &'static [u8],
}

/// The joint model, an ONNX file; `None` when the library was built without the feature
/// `embedded-model`.
pub(super) fn model() -> Option<&'static [u8]> {
    #[cfg(feature = "embedded-model")]
    return Some(joint_file!("model.onnx"));
    #[cfg(not(feature = "embedded-model"))]
    None
}

/// The golden vector of the joint model.
pub(super) fn golden() -> Option<&'static [u8]> {
    #[cfg(feature = "embedded-model")]
    return Some(joint_file!("golden.json"));
    #[cfg(not(feature = "embedded-model"))]
    None
}

/// The pair; `None` when the library was built without the feature `accurate-model`.
pub(super) fn pair() -> Option<EmbeddedPair> {
    #[cfg(feature = "accurate-model")]
    return Some(EmbeddedPair {
        metadata: pair_file!("metadata.json"),
        segmentation: pair_file!("segmentation.onnx"),
        import: pair_file!("embedding.import.json"),
        frames: pair_file!("embedding.frames.onnx"),
        pooling: pair_file!("embedding.pooling.onnx"),
    });
    #[cfg(not(feature = "accurate-model"))]
    None
}
