//! The options builder. Every value is checked by the crate's `Config` when it is set.

use std::ffi::c_char;
use std::path::PathBuf;

use super::choice::choice;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, OK, vf_status};
use super::{buffer, handle::borrow};
use crate::config::{Config, ModelSource, Provider, ProviderPolicy};
use crate::sync::Mutex;

/// Options of a session or a diarizer, to be filled and handed to a create function, which copies
/// them.
pub struct vf_options {
    _opaque: (),
}

/// What a `vf_options` holds. The lock makes a mistaken use from two threads harmless.
pub(crate) struct Options(Mutex<Config>);

impl Object for Options {
    type C = vf_options;
    const NAME: &'static str = "vf_options";
    const TAG: u64 = u64::from_be_bytes(*b"vf_optns");
}

/// The kinds of hardware that run the network.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_provider {
    /// CUDA where it is available, else the CPU; never TensorRT.
    VF_PROVIDER_AUTO = 0,
    /// The processor.
    VF_PROVIDER_CPU = 1,
    /// An NVIDIA GPU through CUDA.
    VF_PROVIDER_CUDA = 2,
    /// An NVIDIA GPU through TensorRT.
    VF_PROVIDER_TENSORRT = 3,
}

/// What happens where the provider asked for is not available.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_provider_policy {
    /// The CPU is used, with a warning in the log.
    VF_PROVIDER_PREFERRED = 0,
    /// The create function fails with `VF_E_PROVIDER`. Has no meaning with `VF_PROVIDER_AUTO`.
    VF_PROVIDER_REQUIRED = 1,
}

/// A copy of the options behind a pointer; the defaults for NULL.
///
/// # Safety
/// As [`handle::borrow`].
pub(crate) unsafe fn config(options: *const vf_options) -> Result<Config, Failure> {
    // SAFETY: as promised.
    let options = unsafe { handle::borrow_nullable::<Options>(options) }?;
    Ok(options.map(|options| options.0.lock().clone()).unwrap_or_default())
}

/// Lets `change` set a value.
///
/// # Safety
/// As [`handle::borrow`].
pub(super) unsafe fn set(
    options: *mut vf_options,
    change: impl FnOnce(&mut Config) -> crate::Result<()>,
) -> Result<vf_status, Failure> {
    // SAFETY: as promised.
    let options = unsafe { borrow::<Options>(options) }?;
    change(&mut options.0.lock())?;
    Ok(OK)
}

/// A path from C, which may not be empty.
///
/// # Safety
/// As [`buffer::path`].
pub(super) unsafe fn path(name: &str, pointer: *const c_char) -> Result<PathBuf, Failure> {
    // SAFETY: as promised.
    let path = unsafe { buffer::path(name, pointer) }?;
    if path.as_os_str().is_empty() {
        return Err(Failure::invalid(format!("{name}: expected a path, got an empty text")));
    }
    Ok(path.to_owned())
}

/// Creates options with every value at its default.
///
/// - `out`: receives the options, or NULL on failure. Destroy them with `vf_options_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_create(out: *mut *mut vf_options) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, by contract.
        unsafe {
            handle::clear(out)?;
            handle::give(Options(Mutex::new(Config::default())), out);
        }
        Ok(OK)
    })
}

/// Destroys options. What was created with them keeps its own copy.
///
/// - `options`: the options; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_destroy(options: *mut vf_options) {
    guard(|| {
        // SAFETY: NULL or from `vf_options_create`, and not in use, by contract.
        unsafe { handle::destroy::<Options>(options) }
    });
}

/// Takes the model from an ONNX file, which is opened by the create function. Default: the model in
/// the library.
///
/// - `options`: the options.
/// - `path`: path, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_model_path(
    options: *mut vf_options,
    path: *const c_char,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let file = self::path("path", path)?;
            set(options, |config| {
                config.set_model(ModelSource::File(file));
                Ok(())
            })
        }
    })
}

/// Takes the model from the bytes of an ONNX file. Default: the models in the library.
///
/// - `options`: the options.
/// - `data`: the bytes, copied.
/// - `size`: their number, 1 to 2,147,483,647.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_model_memory(
    options: *mut vf_options,
    data: *const u8,
    size: usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and `size` bytes, by contract.
        unsafe {
            let model = buffer::model(data, size)?;
            set(options, |config| {
                config.set_model(model);
                Ok(())
            })
        }
    })
}

/// Chooses the hardware that runs the network. Default: VF_PROVIDER_AUTO, VF_PROVIDER_PREFERRED.
///
/// - `options`: the options.
/// - `provider`: a number of `vf_provider`.
/// - `policy`: a number of `vf_provider_policy`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_provider(
    options: *mut vf_options,
    provider: i32,
    policy: i32,
) -> vf_status {
    guard(|| {
        let providers = [
            (vf_provider::VF_PROVIDER_AUTO as i32, Provider::Auto),
            (vf_provider::VF_PROVIDER_CPU as i32, Provider::Cpu),
            (vf_provider::VF_PROVIDER_CUDA as i32, Provider::Cuda),
            (vf_provider::VF_PROVIDER_TENSORRT as i32, Provider::TensorRt),
        ];
        let policies = [
            (vf_provider_policy::VF_PROVIDER_PREFERRED as i32, ProviderPolicy::Preferred),
            (vf_provider_policy::VF_PROVIDER_REQUIRED as i32, ProviderPolicy::Required),
        ];
        let provider = choice("provider", provider, &providers)?;
        let policy = choice("policy", policy, &policies)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_provider(provider, policy);
                Ok(())
            })
        }
    })
}

/// Chooses the GPU. Default 0.
///
/// - `options`: the options.
/// - `device_id`: number of the GPU, 0 to 63.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_device_id(options: *mut vf_options, device_id: i32) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_device_id(device_id)) })
}

/// Sets the most memory that ONNX Runtime takes on a GPU for one run slot: with CUDA the limit of
/// the arena, which holds weights and intermediate results, with TensorRT that of the workspace. A
/// network that does not fit is not loaded there, as where the provider is not available; a run
/// that needs more fails with VF_E_RUNTIME. Without effect on the CPU. Default 0: no limit.
///
/// - `options`: the options.
/// - `bytes`: 0, or 1,048,576 (1 MiB) to 1,099,511,627,776 (1 TiB).
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_device_memory_limit(
    options: *mut vf_options,
    bytes: u64,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_device_memory_limit(bytes)) })
}

/// Sets the number of threads that work for one call: inside one run of the network in a session,
/// on runs side by side in a diarizer. Default 0: one for each physical core.
///
/// - `options`: the options.
/// - `threads`: 0 to 256; a diarizer uses 64 at most.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_threads(options: *mut vf_options, threads: usize) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_threads(threads)) })
}

/// Sets how many runs of the network may be under way at once in one session; further calls wait.
/// Default 1. A diarizer has one for each of its threads instead.
///
/// - `options`: the options.
/// - `slots`: 1 to 64; each takes memory of its own.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_slots(options: *mut vf_options, slots: usize) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_slots(slots)) })
}

/// Sets how many windows a diarizer gives the network at once, at most. Default 8.
///
/// - `options`: the options.
/// - `batch`: 1 to 1,024.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_batch(options: *mut vf_options, batch: usize) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_batch(batch)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_header_are_the_numbers_of_the_crate() {
        assert_eq!(vf_provider::VF_PROVIDER_AUTO as i32, Provider::Auto as i32);
        assert_eq!(vf_provider::VF_PROVIDER_CPU as i32, Provider::Cpu as i32);
        assert_eq!(vf_provider::VF_PROVIDER_CUDA as i32, Provider::Cuda as i32);
        assert_eq!(vf_provider::VF_PROVIDER_TENSORRT as i32, Provider::TensorRt as i32);
        assert_eq!(vf_provider_policy::VF_PROVIDER_PREFERRED as i32, ProviderPolicy::Preferred as i32);
        assert_eq!(vf_provider_policy::VF_PROVIDER_REQUIRED as i32, ProviderPolicy::Required as i32);
    }
}
