//! The options that are one of several: where a model comes from, what runs it, how voices are
//! clustered.

use std::path::PathBuf;
use std::sync::Arc;

/// Where a model comes from.
#[derive(Clone, Debug, Default)]
pub enum ModelSource {
    /// The model compiled into the library (feature `embedded-model`).
    #[default]
    Embedded,
    /// An ONNX file.
    File(PathBuf),
    /// The bytes of an ONNX file.
    Memory(Arc<Vec<u8>>),
}

/// Hardware that runs the network, an ONNX Runtime execution provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Provider {
    /// CUDA where it is available, else the CPU; never TensorRT.
    #[default]
    Auto = 0,
    /// The processor.
    Cpu = 1,
    /// An NVIDIA GPU through CUDA.
    Cuda = 2,
    /// An NVIDIA GPU through TensorRT.
    TensorRt = 3,
}

impl Provider {
    /// Lower-case name: `auto`, `cpu`, `cuda`, `tensorrt`.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
        }
    }
}

/// What to do when the provider asked for is not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum ProviderPolicy {
    /// Fall back to the CPU and say so by a warning in the log; the provider in use can be asked
    /// for.
    #[default]
    Preferred = 0,
    /// Fail with [`Error::Provider`](crate::Error::Provider). Has no meaning with
    /// [`Provider::Auto`].
    Required = 1,
}

/// The toolkit that a speaker embedding model was made with: its tensors, features and metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum EmbeddingFamily {
    /// What the metadata key `framework` of the file says, else what its tensors show.
    #[default]
    Auto = 0,
    /// WeSpeaker: ResNet, ECAPA-TDNN, CAM++ and others on [batch, frames, 80].
    WeSpeaker = 1,
    /// 3D-Speaker: CAM++, ERes2Net, ERes2NetV2 on [batch, frames, 80].
    ThreeDSpeaker = 2,
    /// NVIDIA NeMo: TitaNet, SpeakerNet on [batch, 80, frames] and lengths.
    Nemo = 3,
}

impl EmbeddingFamily {
    /// The name in the metadata key `framework`: `wespeaker`, `3d-speaker`, `nemo`; `auto`
    /// otherwise.
    pub fn name(self) -> &'static str {
        match self {
            EmbeddingFamily::Auto => "auto",
            EmbeddingFamily::WeSpeaker => "wespeaker",
            EmbeddingFamily::ThreeDSpeaker => "3d-speaker",
            EmbeddingFamily::Nemo => "nemo",
        }
    }
}

/// The recipe of the filterbank features that a speaker embedding model is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Frontend {
    /// What the model was trained with: torchaudio's `kaldi.fbank` or NeMo's mel spectrogram.
    #[default]
    Trained = 0,
    /// What sherpa-onnx computes for the same file, for results that can be compared with its own.
    Sherpa = 1,
}

impl Frontend {
    /// Lower-case name: `trained`, `sherpa`.
    pub fn name(self) -> &'static str {
        match self {
            Frontend::Trained => "trained",
            Frontend::Sherpa => "sherpa",
        }
    }
}

/// How voices are clustered into speakers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum ClusteringMethod {
    /// What the model was tuned with.
    #[default]
    Auto = 0,
    /// Average linkage on cosine distance; two speakers of one window are joined only where the
    /// model was tuned so, as accurate is.
    Average = 1,
    /// Centroid linkage with the minimum cluster size rule, as pyannote.audio 3.1 has it.
    Centroid = 2,
    /// Variational Bayes on PLDA-transformed voices, as pyannote's community-1 has it. Needs a
    /// PLDA: a folder, or that of a joint model that brings one.
    Vbx = 3,
}

impl ClusteringMethod {
    /// Lower-case name: `auto`, `average`, `centroid`, `vbx`.
    pub fn name(self) -> &'static str {
        match self {
            ClusteringMethod::Auto => "auto",
            ClusteringMethod::Average => "average",
            ClusteringMethod::Centroid => "centroid",
            ClusteringMethod::Vbx => "vbx",
        }
    }
}
