//! The folder of optimised models, and the options of a diarizer that runs two public models and of
//! its clustering.

use std::ffi::c_char;

use super::buffer;
use super::choice::choice;
use super::guard::guard;
use super::options::{path, set, vf_options};
use super::status::vf_status;
use crate::config::{ClusteringMethod, EmbeddingFamily, Frontend, ModelSource};

/// The toolkits that speaker embedding models come from.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_embedding_family {
    /// What the file's metadata key `framework` says, else what its tensors show.
    VF_EMBEDDING_FAMILY_AUTO = 0,
    /// WeSpeaker: ResNet, ECAPA-TDNN, CAM++ and others.
    VF_EMBEDDING_FAMILY_WESPEAKER = 1,
    /// 3D-Speaker: CAM++, ERes2Net, ERes2NetV2.
    VF_EMBEDDING_FAMILY_3D_SPEAKER = 2,
    /// NVIDIA NeMo: TitaNet, SpeakerNet.
    VF_EMBEDDING_FAMILY_NEMO = 3,
}

/// The recipes of the features that a speaker embedding model is given.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_frontend {
    /// What the model was trained with.
    VF_FRONTEND_TRAINED = 0,
    /// What sherpa-onnx computes for the same file.
    VF_FRONTEND_SHERPA = 1,
}

/// The ways of clustering voices into speakers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_clustering {
    /// What the model was tuned with.
    VF_CLUSTERING_AUTO = 0,
    /// Average linkage on cosine distance; two speakers of one window are joined only where the
    /// model was tuned so, as accurate is.
    VF_CLUSTERING_AVERAGE = 1,
    /// Centroid linkage with a minimum cluster size, as in pyannote.audio 3.1.
    VF_CLUSTERING_CENTROID = 2,
    /// Variational Bayes on PLDA-transformed voices, as in pyannote's community-1. Needs
    /// `vf_options_set_plda`, unless the model brings a PLDA of its own, as fast-cnn does.
    VF_CLUSTERING_VBX = 3,
}

/// Keeps models in a folder as ONNX Runtime has optimised them for this processor, so that the next
/// session or diarizer is created faster. On the CPU each network has a file there,
/// `<key>.onnx.cache`, which is used by the same release of this library with the same ONNX Runtime
/// on the same kind of processor alone; TensorRT keeps its engines and timings there, CUDA nothing.
/// The create function makes the folder where it does not exist, and fails with
/// VF_E_INVALID_ARGUMENT where it cannot. A file that is damaged, of another model, or cannot be
/// written is named in the log and does no harm. Results are the same with and without. Any number
/// of threads and processes may share a folder. It is trusted as the model is: whoever can write to
/// it decides what runs. Default: none, and nothing is written.
///
/// - `options`: the options.
/// - `folder`: path, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_cache_folder(
    options: *mut vf_options,
    folder: *const c_char,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let folder = path("folder", folder)?;
            set(options, |config| {
                config.set_cache_folder(folder);
                Ok(())
            })
        }
    })
}

/// Takes a segmentation model from an ONNX file in the manner of pyannote's (segmentation-3.0,
/// Reverb v1), which a diarizer runs together with the embedding model in place of the joint model.
/// The create function opens it; a session cannot. Default: none.
///
/// - `options`: the options.
/// - `path`: path, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_segmentation_model(
    options: *mut vf_options,
    path: *const c_char,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let file = self::path("path", path)?;
            set(options, |config| config.set_segmentation_model(ModelSource::File(file)))
        }
    })
}

/// Takes the segmentation model from the bytes of an ONNX file. Default: none.
///
/// - `options`: the options.
/// - `data`: the bytes, copied.
/// - `size`: their number, 1 to 2,147,483,647.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_segmentation_model_memory(
    options: *mut vf_options,
    data: *const u8,
    size: usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and `size` bytes, by contract.
        unsafe {
            let model = buffer::model(data, size)?;
            set(options, |config| config.set_segmentation_model(model))
        }
    })
}

/// Sets what one frame of a segmentation model sees, for a file that does not say. Default: the
/// file's metadata `receptive_field_size` and `receptive_field_shift`, else those of pyannote's
/// models.
///
/// - `options`: the options.
/// - `size`: receptive field in samples, 1 to 160,000.
/// - `step`: samples from one frame to the next, 1 to `size`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_segmentation_receptive_field(
    options: *mut vf_options,
    size: usize,
    step: usize,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_segmentation_receptive_field(size, step)) })
}

/// Takes a speaker embedding model from an ONNX file of the WeSpeaker, 3D-Speaker or NeMo family,
/// which a diarizer runs together with the segmentation model. What `voiceflow import-model` left
/// beside the file is used. Default: none.
///
/// - `options`: the options.
/// - `path`: path, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_embedding_model(
    options: *mut vf_options,
    path: *const c_char,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let file = self::path("path", path)?;
            set(options, |config| config.set_embedding_model(ModelSource::File(file)))
        }
    })
}

/// Takes the speaker embedding model from the bytes of an ONNX file. Default: none.
///
/// - `options`: the options.
/// - `data`: the bytes, copied.
/// - `size`: their number, 1 to 2,147,483,647.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_embedding_model_memory(
    options: *mut vf_options,
    data: *const u8,
    size: usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and `size` bytes, by contract.
        unsafe {
            let model = buffer::model(data, size)?;
            set(options, |config| config.set_embedding_model(model))
        }
    })
}

/// Sets the family of an embedding model that does not say. Default: VF_EMBEDDING_FAMILY_AUTO.
///
/// - `options`: the options.
/// - `family`: a number of `vf_embedding_family`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_embedding_family(options: *mut vf_options, family: i32) -> vf_status {
    guard(|| {
        let families = [
            (vf_embedding_family::VF_EMBEDDING_FAMILY_AUTO as i32, EmbeddingFamily::Auto),
            (vf_embedding_family::VF_EMBEDDING_FAMILY_WESPEAKER as i32, EmbeddingFamily::WeSpeaker),
            (vf_embedding_family::VF_EMBEDDING_FAMILY_3D_SPEAKER as i32, EmbeddingFamily::ThreeDSpeaker),
            (vf_embedding_family::VF_EMBEDDING_FAMILY_NEMO as i32, EmbeddingFamily::Nemo),
        ];
        let family = choice("family", family, &families)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_embedding_family(family);
                Ok(())
            })
        }
    })
}

/// Chooses the features that the embedding model is given. Default: VF_FRONTEND_TRAINED.
///
/// - `options`: the options.
/// - `frontend`: a number of `vf_frontend`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_frontend(options: *mut vf_options, frontend: i32) -> vf_status {
    guard(|| {
        let frontends = [
            (vf_frontend::VF_FRONTEND_TRAINED as i32, Frontend::Trained),
            (vf_frontend::VF_FRONTEND_SHERPA as i32, Frontend::Sherpa),
        ];
        let frontend = choice("frontend", frontend, &frontends)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_frontend(frontend);
                Ok(())
            })
        }
    })
}

/// Chooses how voices are clustered into speakers. Default: VF_CLUSTERING_AUTO.
///
/// - `options`: the options.
/// - `method`: a number of `vf_clustering`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_clustering_method(
    options: *mut vf_options,
    method: i32,
) -> vf_status {
    guard(|| {
        let methods = [
            (vf_clustering::VF_CLUSTERING_AUTO as i32, ClusteringMethod::Auto),
            (vf_clustering::VF_CLUSTERING_AVERAGE as i32, ClusteringMethod::Average),
            (vf_clustering::VF_CLUSTERING_CENTROID as i32, ClusteringMethod::Centroid),
            (vf_clustering::VF_CLUSTERING_VBX as i32, ClusteringMethod::Vbx),
        ];
        let method = choice("method", method, &methods)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_clustering_method(method);
                Ok(())
            })
        }
    })
}

/// Sets the fewest windows that a speaker of centroid clustering has; smaller clusters join the
/// nearest larger one. No more than a tenth of all windows is asked for. Default: as many as begin
/// in 12 s.
///
/// - `options`: the options.
/// - `windows`: 1 to 1,000.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_min_cluster_size(
    options: *mut vf_options,
    windows: usize,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_min_cluster_size(windows)) })
}

/// Sets the bundle that the models are taken from: "fast-cnn" or "accurate" as compiled into the
/// library; a folder with `model.onnx`, or with `segmentation.onnx` and `embedding.onnx`, and
/// `metadata.json`; or the name of such a folder in `$VOICEFLOW_MODELS`, in `.models` of the
/// working directory or of a folder above the library, or where packages install them: `models`
/// beside the library and `share/voiceflow/models` of its prefix, which alone are looked at in an
/// elevated process. Options that are not set are what the bundle was tuned to. The create function
/// reads it, and refuses another model beside it. Default: accurate for recordings where it is
/// compiled in, installed or in `$VOICEFLOW_MODELS`, and fast-cnn for the rest.
///
/// - `options`: the options.
/// - `bundle`: path or name, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_bundle(options: *mut vf_options, bundle: *const c_char) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let bundle = path("bundle", bundle)?;
            set(options, |config| {
                config.set_bundle(bundle);
                Ok(())
            })
        }
    })
}

/// Sets the folder with the PLDA for VF_CLUSTERING_VBX: `xvec_transform.npz` and `plda.npz`, as
/// pyannote's community-1 has them. The create function reads them. Default: none.
///
/// - `options`: the options.
/// - `folder`: path, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_plda(options: *mut vf_options, folder: *const c_char) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let folder = path("folder", folder)?;
            set(options, |config| {
                config.set_plda(folder);
                Ok(())
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::vf_clustering::*;
    use super::vf_embedding_family::*;
    use super::vf_frontend::*;
    use super::*;

    #[test]
    fn the_names_of_the_header_are_the_numbers_of_the_crate() {
        assert_eq!(VF_EMBEDDING_FAMILY_AUTO as i32, EmbeddingFamily::Auto as i32);
        assert_eq!(VF_EMBEDDING_FAMILY_WESPEAKER as i32, EmbeddingFamily::WeSpeaker as i32);
        assert_eq!(VF_EMBEDDING_FAMILY_3D_SPEAKER as i32, EmbeddingFamily::ThreeDSpeaker as i32);
        assert_eq!(VF_EMBEDDING_FAMILY_NEMO as i32, EmbeddingFamily::Nemo as i32);
        assert_eq!(VF_FRONTEND_TRAINED as i32, Frontend::Trained as i32);
        assert_eq!(VF_FRONTEND_SHERPA as i32, Frontend::Sherpa as i32);
        assert_eq!(VF_CLUSTERING_AUTO as i32, ClusteringMethod::Auto as i32);
        assert_eq!(VF_CLUSTERING_AVERAGE as i32, ClusteringMethod::Average as i32);
        assert_eq!(VF_CLUSTERING_CENTROID as i32, ClusteringMethod::Centroid as i32);
        assert_eq!(VF_CLUSTERING_VBX as i32, ClusteringMethod::Vbx as i32);
    }
}
