//! Model files through ONNX Runtime, to the end of the contract check: a session, and what
//! `validate` says.
//!
//! ONNX Runtime is not compiled with the sanitizer. scripts/fuzz.sh separates crashes and hangs in
//! it from others, by the innermost frame of the stack.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use voiceflow::model::{Session, validate};
use voiceflow::{Config, ModelSource};
use voiceflow_fuzz::mutation::{self, Random};
use voiceflow_fuzz::protobuf;

fuzz_target!(|data: &[u8]| {
    let source = ModelSource::Memory(Arc::new(data.to_vec()));
    let mut config = Config::default();
    config.set_threads(1).expect("one thread is allowed");
    config.set_model(source.clone());
    let session = Session::new(&config);
    // A model that can be opened keeps the contract, or the report says how it does not.
    if let Ok(report) = validate(&source, &config)
        && report.kind == voiceflow::model::ModelKind::Joint
        && session.is_err()
    {
        assert!(!report.breaches.is_empty(), "{session:?}, but no breach");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed);
    let tree = if random.once_in(6) { None } else { protobuf::read(&data[..size]) };
    let mutated = tree.and_then(|mut tree| {
        mutation::mutate(&mut tree, &[], &mut random);
        mutation::store(&protobuf::write(&tree), data, max_size)
    });
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
