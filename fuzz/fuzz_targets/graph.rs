//! ONNX graphs as the import reads and cuts them, without ONNX Runtime.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use voiceflow::model::fuzzing;
use voiceflow_fuzz::mutation::{self, Random};
use voiceflow_fuzz::protobuf;

/// Names of the tensors between which the networks of the corpus are cut: input and output.
const TENSORS: [(&str, &str); 4] =
    [("feats", "embs"), ("x", "embedding"), ("audio_signal", "embs"), ("audio", "embedding")];
/// Cuts that are made of one file.
const CUTS: usize = 4;

fuzz_target!(|data: &[u8]| {
    for (input, output) in TENSORS {
        // Parts of a graph that was read can be read.
        if let Err(reason) = fuzzing::cut(data, input, output, CUTS) {
            assert!(!reason.is_empty());
        }
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed);
    let tree = if random.once_in(4) { None } else { protobuf::read(&data[..size]) };
    let mutated = tree.and_then(|mut tree| {
        mutation::mutate(&mut tree, &[], &mut random);
        mutation::store(&protobuf::write(&tree), data, max_size)
    });
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
