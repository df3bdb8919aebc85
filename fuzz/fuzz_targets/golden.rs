//! The JSON beside and in models: golden vectors, the PLDA in a joint model's metadata,
//! metadata.json of a bundle.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use voiceflow::model::fuzzing;
use voiceflow_fuzz::input::Input;
use voiceflow_fuzz::memory_file::MemoryFile;

/// SHA-256 of the model to which the golden vectors of the corpus belong.
const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

thread_local! {
    static FILE: RefCell<MemoryFile> = RefCell::default();
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let kind = input.u8();
    let shape = [input.below(8), input.below(4), input.below(8)];
    let rest = input.rest();
    match kind % 3 {
        0 => drop(fuzzing::golden(rest, SHA256, shape)),
        1 => drop(std::str::from_utf8(rest).map(|text| fuzzing::plda_property(text, shape[2]))),
        _ => FILE.with_borrow_mut(|file| {
            file.set(rest);
            drop(fuzzing::tuning(&file.path()));
        }),
    }
});
