//! The options of ONNX Runtime itself, which a process loads once.

use std::ffi::c_char;

use super::buffer::switch;
use super::guard::guard;
use super::options::{self, set, vf_options};
use super::status::vf_status;

/// Loads ONNX Runtime from this file. The first session of the process decides; a later, different
/// file is refused when it is used. Default: the file that VOICEFLOW_ORT_LIBRARY, else
/// ORT_DYLIB_PATH names, and no other; without them the folder of this library or of the program,
/// `lib` beside either and `voiceflow` in each, the ONNX Runtime that the process has loaded, the
/// package `onnxruntime` of the active Python environment, the system's loader. In a process with
/// more rights than whoever started it (set-user-ID, set-group-ID, capabilities of a file) only the
/// folder of this library, what the process has loaded and the system's loader are left of these.
///
/// - `options`: the options.
/// - `path`: path of libonnxruntime.so, at most 65,536 bytes; copied.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_runtime_library(
    options: *mut vf_options,
    path: *const c_char,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        unsafe {
            let file = options::path("path", path)?;
            set(options, |config| {
                config.set_runtime_library(file);
                Ok(())
            })
        }
    })
}

/// Whether ONNX Runtime may use its telemetry. ONNX Runtime 1.29 and later write a number of this
/// device below the home folder and send data to Microsoft unless that is switched off before ONNX
/// Runtime starts. This library does so: for the moment in which it loads ONNX Runtime,
/// ORT_DISABLE_TELEMETRY is 1 in the environment of the process. The first session of the process
/// decides; a later one for which the other was set is refused with VF_E_INVALID_ARGUMENT when it
/// is created. An ONNX Runtime that the host itself has started before is as the host has started
/// it. Default: 0 for the session that loads ONNX Runtime, as it is for later ones.
///
/// - `options`: the options.
/// - `telemetry`: 0 switches it off; 1 leaves it as ONNX Runtime has it, which is off where the
///   environment has ORT_DISABLE_TELEMETRY=1 or names a system of continuous integration.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_telemetry(options: *mut vf_options, telemetry: i32) -> vf_status {
    guard(|| {
        let allowed = switch("telemetry", telemetry)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_telemetry(allowed);
                Ok(())
            })
        }
    })
}
