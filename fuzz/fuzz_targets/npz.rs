//! The NumPy archives of a PLDA: any bytes, or sound archives of any arrays.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use voiceflow::model::read_plda;
use voiceflow_fuzz::archive;

/// The archives in a folder, and the array names of both.
const FILES: [&str; 2] = ["xvec_transform.npz", "plda.npz"];
const ARRAYS: [&str; 6] = ["mean1", "mean2", "lda", "mu", "tr", "psi"];

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let folder = FOLDER.get_or_init(|| tempfile::tempdir_in("/dev/shm").expect("a folder in memory").keep());
    // The first byte says what the others are.
    let (kind, bytes) = data.split_first().unwrap_or((&0, &[]));
    let bytes = if kind % 2 == 0 { bytes.to_vec() } else { archive::stored(&ARRAYS, bytes) };
    for name in FILES {
        fs::write(folder.join(name), &bytes).expect("a file in memory");
    }
    match read_plda(folder) {
        Ok(plda) => assert!(plda.dimensions() > 0),
        Err(error) => {
            let name = folder.to_string_lossy().into_owned();
            assert!(error.to_string().contains(&name), "{error}: which file?");
        }
    }
});
