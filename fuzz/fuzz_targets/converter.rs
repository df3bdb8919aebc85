//! Resampling and downmixing of any rate, channels and samples, whole and in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use voiceflow::audio::Converter;
use voiceflow_fuzz::input::Input;

/// Rates of devices and formats, and those at which the converter begins to refuse.
const RATES: [u32; 16] = [
    0,
    999,
    1_000,
    7_999,
    8_000,
    11_025,
    16_000,
    22_050,
    44_100,
    47_999,
    48_000,
    96_000,
    192_000,
    768_000,
    768_001,
    u32::MAX,
];
/// Most samples of an input.
const MAX_SAMPLES: usize = 1 << 13;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let rate = if input.u8() < 64 { input.u32() % 800_000 } else { input.choose(&RATES) };
    let channels = if input.u8() < 8 { input.u16() } else { 1 + u16::from(input.u8() % 8) };
    let Ok(mut whole) = Converter::new(rate, channels) else { return };
    let Ok(mut pieces) = Converter::new(rate, channels) else { unreachable!("the same format") };
    let channels = usize::from(channels);
    let sizes: Vec<usize> = (0..input.below(6)).map(|_| channels * input.below(1_000)).collect();
    let samples = samples(&mut input, channels);

    let mut expected = Vec::new();
    let result = whole.push(&samples, &mut expected).and_then(|()| whole.finish(&mut expected));
    if result.is_err() {
        return;
    }
    assert!(expected.iter().all(|sample| sample.is_finite()), "a sample that is not finite");
    let mut found = Vec::new();
    let mut rest = samples.as_slice();
    for size in sizes.into_iter().chain([usize::MAX]) {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece, &mut found).expect("a piece of samples that are good as a whole");
        rest = after;
    }
    pieces.finish(&mut found).expect("the same samples can be ended");
    assert!(found == expected, "pieces give {} samples, the whole {}", found.len(), expected.len());
});

/// Whole frames: what the input holds, repeated to a length that it says.
fn samples(input: &mut Input<'_>, channels: usize) -> Vec<f32> {
    let raw = input.u8();
    let length = input.below(MAX_SAMPLES);
    let bytes = input.rest();
    let seed: Vec<f32> = match raw % 4 {
        0 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        _ => bytes.iter().map(|&byte| f32::from(byte as i8) / 128.0).collect(),
    };
    if seed.is_empty() {
        return Vec::new();
    }
    let length = length / channels * channels;
    seed.iter().copied().cycle().take(length).collect()
}
