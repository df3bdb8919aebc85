//! Gallery files: what is read can be used, and written and read again as the same.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use voiceflow::Gallery;
use voiceflow_fuzz::memory_file::MemoryFile;

thread_local! {
    static FILE: RefCell<MemoryFile> = RefCell::default();
}

fuzz_target!(|data: &[u8]| {
    FILE.with_borrow_mut(|file| {
        file.set(data);
        let path = file.path();
        match Gallery::read(&path) {
            Ok(gallery) => check(&gallery, file),
            Err(error) => {
                let name = path.to_string_lossy().into_owned();
                assert!(error.to_string().contains(&name), "{error}: which file?");
            }
        }
    });
});

fn check(gallery: &Gallery, file: &mut MemoryFile) {
    let own: Vec<&[f32]> = gallery.voices().iter().map(|voice| voice.embedding.as_slice()).collect();
    // Matching takes the cube of the number of voices in time.
    if own.len() <= 16 {
        let found = gallery.identify_all(&own, 0.5).expect("voices of the gallery itself");
        assert_eq!(found.len(), own.len());
    }
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let path = folder.path().join("gallery.json");
    gallery.save(&path).expect("a gallery can be saved");
    file.set(&std::fs::read(&path).expect("what was saved is there"));
    let again = Gallery::read(file.path()).expect("what is written can be read");
    assert_eq!(again.model(), gallery.model());
    assert_eq!(again.voices(), gallery.voices());
}
