//! Gives the shared library its SONAME and keeps it loaded for the life of the process. Writes nothing
//! into the source tree.

/// Binary interface number, the SONAME's suffix. Equal to `vf_abi_version()`; a test compares the two.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=VOICEFLOW_ABI={ABI}");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libvoiceflow.so.{ABI}");
        // Thread-local destructors run after dlclose would unmap their code: the library stays mapped.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
