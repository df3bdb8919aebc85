//! Speech features by what the metadata of an embedding file say: settings, tensors, audio.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use voiceflow::model::fuzzing;
use voiceflow_fuzz::input::Input;

/// The metadata keys that are read, each with values that mean something.
const METADATA: [(&str, &[&str]); 8] = [
    ("framework", &["wespeaker", "3d-speaker", "nemo", "NeMo"]),
    ("sample_rate", &["16000", "8000"]),
    ("feat_dim", &["80", "64", "0", "256", "257"]),
    ("voiceflow.frontend", &["trained", "sherpa"]),
    ("window_size_ms", &["25", "0.025", "0", "-1", "1e300", "NaN", "32"]),
    ("window_stride_ms", &["10", "0.01"]),
    ("normalize_samples", &["0", "1", "2"]),
    ("feature_normalize_type", &["global-mean", "per_feature", "none"]),
];
/// Sizes of axes; 0 differs from run to run.
const SIZES: [usize; 8] = [0, 1, 2, 64, 80, 256, 257, usize::MAX];
/// Most samples of audio: a quarter of a second.
const MAX_SAMPLES: usize = 4_000;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mut metadata = BTreeMap::new();
    for (key, values) in METADATA {
        let value = match input.u8() {
            0..64 => continue,
            64..224 => input.choose(values).to_owned(),
            _ => {
                let length = input.below(24);
                String::from_utf8_lossy(input.bytes(length)).into_owned()
            }
        };
        metadata.insert(key.to_owned(), value);
    }
    let usual = input.u8() < 224;
    let features = if usual { vec![0, 0, 80] } else { sizes(&mut input) };
    let embedding = if usual { vec![0, 8] } else { sizes(&mut input) };
    let length = input.below(MAX_SAMPLES);
    let audio: Vec<f32> = input.rest().iter().map(|&byte| f32::from(byte as i8) / 128.0).collect();
    let audio: Vec<f32> =
        if audio.is_empty() { Vec::new() } else { audio.iter().copied().cycle().take(length).collect() };
    if let Ok(values) = fuzzing::features(metadata, &features, &embedding, &audio) {
        assert!(values.iter().all(|value| value.is_finite()), "a feature that is not finite");
    }
});

fn sizes(input: &mut Input<'_>) -> Vec<usize> {
    (0..input.below(5)).map(|_| input.choose(&SIZES)).collect()
}
