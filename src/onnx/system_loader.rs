//! Libraries that the system's loader finds by their name. `ort` looks for such a name beside the
//! program first, where others than the system may have put one; so it is given the file that the
//! loader has found.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::path::{Path, PathBuf};

/// Loads the library `name`, a name without a folder, and tells in which file `symbol` of it lies.
/// It stays loaded.
///
/// # Errors
/// The reason of the loader; that it has no such symbol.
#[cfg(unix)]
pub(crate) fn load(name: &Path, symbol: &CStr) -> Result<PathBuf, String> {
    use std::ffi::{CString, OsStr};
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let text = CString::new(name.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: a text that ends with a zero byte. The initialisers of a library that the system has
    // are trusted.
    let handle = unsafe { libc::dlopen(text.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    // SAFETY: the handle is open, the name ends with a zero byte.
    let address = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
    let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; zeros are a value of the plain struct that is written
    // to.
    let found = unsafe {
        libc::dladdr(address, found.as_mut_ptr());
        found.assume_init()
    };
    if address.is_null() || found.dli_fname.is_null() {
        return Err(format!("it has no {}", symbol.to_string_lossy()));
    }
    // SAFETY: the loader's own text, which lasts as long as the library is loaded.
    let file = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(found.dli_fname) }.to_bytes()));
    Ok(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
}

/// Fails: which file the loader of this system takes is not known.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub(crate) fn load(_name: &Path, _symbol: &CStr) -> Result<PathBuf, String> {
    Err("on this system it has to be named, or to lie beside the program".to_owned())
}

/// Why the last call of the loader on this thread failed.
#[cfg(unix)]
fn last_error() -> String {
    // SAFETY: it gives NULL or a text that lasts until the next call of the loader on this thread.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: a text that ends with a zero byte, copied at once.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_library_of_the_system_is_found_by_its_name() {
        let file = load(Path::new("libm.so.6"), c"cos").unwrap();
        assert!(file.is_absolute() && file.file_name() == Some(OsStr::new("libm.so.6")), "{file:?}");
        assert!(file.is_file(), "{file:?}");
    }

    #[test]
    fn what_is_missing_is_told() {
        let error = load(Path::new("libvoiceflow-none.so.1"), c"cos").unwrap_err();
        assert!(error.contains("libvoiceflow-none.so.1: cannot open shared object file"), "{error}");
        assert_eq!(load(Path::new("libm.so.6"), c"OrtGetApiBase").unwrap_err(), "it has no OrtGetApiBase");
    }
}
