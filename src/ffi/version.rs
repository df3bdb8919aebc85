//! Versions: of the library, and of its binary interface.

use std::ffi::{CStr, c_char};

use super::guard::guard;

/// Number of the binary interface that this header describes, the suffix of the SONAME. It changes
/// only when a program built against an older header would break.
pub const VF_ABI_VERSION: u32 = 1;

/// The build script's number, which is in the SONAME, is the same one.
const _: () = assert!(number(env!("VOICEFLOW_ABI")) == VF_ABI_VERSION);

/// The package version as C text.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Reads a decimal number, when the crate is compiled.
const fn number(text: &str) -> u32 {
    let (bytes, mut i, mut value) = (text.as_bytes(), 0, 0);
    while i < bytes.len() {
        assert!(bytes[i].is_ascii_digit());
        value = value * 10 + (bytes[i] - b'0') as u32;
        i += 1;
    }
    value
}

/// Gives the version of the library, such as "0.1.0".
///
/// The text is static: never free it.
///
/// Any thread, concurrently. Cannot fail; may be called from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn vf_version() -> *const c_char {
    guard(|| Ok(CStr::from_bytes_until_nul(VERSION.as_bytes()).unwrap_or(c"").as_ptr()))
}

/// Gives the version of the library as a number that grows with it: major * 65536 + minor * 256 +
/// patch.
///
/// Any thread, concurrently. Cannot fail; may be called from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn vf_version_number() -> u32 {
    guard(|| {
        let major = number(env!("CARGO_PKG_VERSION_MAJOR"));
        let minor = number(env!("CARGO_PKG_VERSION_MINOR"));
        let patch = number(env!("CARGO_PKG_VERSION_PATCH"));
        Ok(major << 16 | minor << 8 | patch)
    })
}

/// Gives the number of the library's binary interface; refuse to go on where it is not
/// `VF_ABI_VERSION`.
///
/// Any thread, concurrently. Cannot fail; may be called from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn vf_abi_version() -> u32 {
    guard(|| Ok(VF_ABI_VERSION))
}
