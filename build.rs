//! Gives the shared library its SONAME and keeps it loaded for the life of the process. Writes nothing
//! into the source tree.

/// Binary interface number, the SONAME's suffix. Equal to `vf_abi_version()`; a test compares the two.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=VOICEFLOW_ABI={ABI}");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Not rustc-cdylib-link-arg, which Cargo hands on to the shared libraries of crates that depend on this one
        // (rust-lang/cargo issue 9562): theirs would take this name. Programs have no SONAME, so that the linker
        // leaves it out of the tests and examples.
        println!("cargo::rustc-link-arg=-Wl,-soname,libvoiceflow.so.{ABI}");
        // Thread-local destructors run after dlclose would unmap their code: the library stays mapped.
        println!("cargo::rustc-link-arg=-Wl,-z,nodelete");
    }
}
