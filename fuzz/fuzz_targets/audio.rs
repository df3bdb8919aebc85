//! Audio files of every container and codec, decoded to the end.
#![no_main]

use std::cell::RefCell;
use std::time::Duration;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use voiceflow::audio::{AudioSource, FileSource, SAMPLE_RATE};
use voiceflow::{Call, Error};
use voiceflow_fuzz::memory_file::MemoryFile;
use voiceflow_fuzz::mutation::{self, Random};
use voiceflow_fuzz::riff::Chunks;
use voiceflow_fuzz::{boxes, keep_caught_panics, ogg, riff};

/// Most seconds that are decoded: a damaged rate or time stretches a file to hours of silence, of
/// which a minute will do.
const MAX_SECONDS: usize = 60;
/// Deadline of an input. libFuzzer's, 20 s, finds what outlives it.
const DEADLINE: Duration = Duration::from_secs(5);

thread_local! {
    static FILE: RefCell<MemoryFile> = RefCell::default();
}

fuzz_target!(init: keep_caught_panics(), |data: &[u8]| {
    FILE.with_borrow_mut(|file| {
        file.set(data);
        let path = file.path();
        let name = path.to_string_lossy().into_owned();
        match decode(&path) {
            Ok(()) | Err(Error::Deadline { .. }) => {}
            Err(error) => assert!(error.to_string().contains(&name), "{error}: which file?"),
        }
    });
});

fn decode(path: &std::path::Path) -> voiceflow::Result<()> {
    let mut source = FileSource::open_until(path, &Call::none().with_deadline(Some(DEADLINE)))?;
    let mut block = Vec::new();
    let mut total = 0;
    while total < MAX_SECONDS * SAMPLE_RATE as usize {
        block.clear();
        if source.read(&mut block)? == 0 {
            break;
        }
        assert!(block.iter().all(|sample| sample.is_finite()), "a sample that is not finite");
        total += block.len();
    }
    Ok(())
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed);
    let structured = if random.once_in(2) { structured(&data[..size], &mut random) } else { None };
    match structured.and_then(|bytes| mutation::store(&bytes, data, max_size)) {
        Some(size) => size,
        None => {
            let size = fuzzer_mutate(data, size, max_size);
            if !random.once_in(4) {
                ogg::mend_checksums(&mut data[..size]);
            }
            size
        }
    }
});

/// The file with a box or chunk changed; `None` where it has none.
fn structured(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if let Some(mut tree) = boxes::read(bytes) {
        mutation::mutate(&mut tree, &boxes::CODES, random);
        return Some(boxes::write(&tree));
    }
    let mut file = Chunks::read(bytes)?;
    mutation::mutate(&mut file.chunks, &riff::CODES, random);
    Some(file.write())
}
