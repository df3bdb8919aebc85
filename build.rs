//! Gives the shared library its SONAME and keeps it loaded for the life of the process; finds the
//! bundle that the feature `accurate-model` compiles in. Writes nothing into the source tree.

use std::path::PathBuf;

/// Binary interface number, the SONAME's suffix. Equal to `vf_abi_version()`; a test compares the
/// two.
const ABI: u32 = 1;

/// Variable that names the folder of the accurate bundle.
const BUNDLE: &str = "VOICEFLOW_ACCURATE_BUNDLE";
/// That folder where the variable is not set.
const OWN_BUNDLE: &str = ".models/accurate";
/// Its files that are compiled in.
const FILES: [&str; 5] = [
    "metadata.json",
    "segmentation.onnx",
    "embedding.import.json",
    "embedding.frames.onnx",
    "embedding.pooling.onnx",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=VOICEFLOW_ABI={ABI}");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Not rustc-cdylib-link-arg, which Cargo hands on to the shared libraries of crates that
        // depend on this one (rust-lang/cargo issue 9562): theirs would take this name. Programs
        // have no SONAME, so that the linker leaves it out of the tests and examples.
        println!("cargo::rustc-link-arg=-Wl,-soname,libvoiceflow.so.{ABI}");
        // Thread-local destructors run after dlclose would unmap their code: the library stays
        // mapped.
        println!("cargo::rustc-link-arg=-Wl,-z,nodelete");
    }
    if std::env::var_os("CARGO_FEATURE_ACCURATE_MODEL").is_some() {
        find_bundle();
    }
}

/// Tells the compiler where the accurate bundle is, or what is missing of it.
fn find_bundle() {
    println!("cargo::rerun-if-env-changed={BUNDLE}");
    // An absolute path stays what it is.
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let folder = manifest.join(std::env::var_os(BUNDLE).unwrap_or_else(|| OWN_BUNDLE.into()));
    for file in FILES.map(|file| folder.join(file)) {
        println!("cargo::rerun-if-changed={}", file.display());
        if !file.is_file() {
            println!(
                "cargo::error=feature accurate-model: expected the bundle that `make models-accurate` makes, in the folder \
                 that {BUNDLE} names or in {OWN_BUNDLE}; {} is not there",
                file.display()
            );
        }
    }
    println!("cargo::rustc-env=VOICEFLOW_ACCURATE={}", folder.display());
}
