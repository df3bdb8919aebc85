//! Streams of any rate, channels and pushes: the same result as of one push, segments in order, no
//! sample lost.
#![no_main]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use voiceflow::{Call, Config, Diarizer, ModelSource, Segment, Stream};
use voiceflow_fuzz::input::Input;

const RATES: [u32; 10] = [0, 1_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 768_000, u32::MAX];
const CHANNELS: [u16; 6] = [0, 1, 2, 3, 32, 33];
/// Most seconds of audio in an input, and most samples.
const MAX_SECONDS: usize = 7;
const MAX_SAMPLES: usize = 1 << 18;

static DIARIZER: OnceLock<(Diarizer, Config)> = OnceLock::new();

fn diarizer() -> &'static (Diarizer, Config) {
    DIARIZER.get_or_init(|| {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/models/good.onnx");
        let mut config = Config::default();
        config.set_model(ModelSource::Memory(Arc::from(std::fs::read(model).expect("the fixture"))));
        config.set_threads(1).expect("one thread is allowed");
        (Diarizer::new(&config).expect("the fixture can be loaded"), config)
    })
}

// The model is loaded before the time of the first input begins.
fuzz_target!(init: { diarizer(); }, |data: &[u8]| {
    let mut input = Input::new(data);
    let (diarizer, config) = diarizer();
    let mut config = config.clone();
    if input.u8() < 128 {
        drop(config.set_latency(f64::from(input.u8()) / 40.0));
    }
    if input.u8() < 128 {
        drop(config.set_history(f64::from(input.u8())));
    }
    let (rate, channels) = (input.choose(&RATES), input.choose(&CHANNELS));
    let Ok(one) = Stream::new(diarizer, &config, rate, channels) else { return };
    let Ok(pieces) = Stream::new(diarizer, &config, rate, channels) else { unreachable!("the same format") };
    // Broken frames too: what is missing comes with the next push.
    let sizes: Vec<usize> = (0..input.below(12)).map(|_| input.below(1 << 16)).collect();
    let samples = samples(&mut input, rate as usize * usize::from(channels));

    let first = push(&one, &samples);
    let mut rest = samples.as_slice();
    let mut segments = Vec::new();
    for size in sizes.into_iter().chain([usize::MAX]) {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        if push(&pieces, piece).is_err() {
            assert!(first.is_err(), "a piece is refused, the whole is not");
            return;
        }
        segments.extend(pieces.read(16));
        rest = after;
    }
    if first.is_err() {
        return;
    }
    let (whole, split) = (finish(&one), finish(&pieces));
    assert_eq!(whole, split, "the result depends on how the audio was cut");
    let Some(segments) = whole else { return };
    for segment in &segments {
        assert!(segment.start_s <= segment.end_s && segment.start_s >= 0.0, "{segment:?}");
    }
    assert!(segments.is_sorted_by(|a, b| a.start_s <= b.start_s), "segments out of order");
});

fn push(stream: &Stream, samples: &[f32]) -> voiceflow::Result<()> {
    stream.push_f32(samples, &Call::none())
}

fn finish(stream: &Stream) -> Option<Vec<Segment>> {
    stream.finish(&Call::none()).ok().map(|finished| finished.diarization.segments)
}

/// What the input holds, repeated to a length that it says; loud and soft by turns.
fn samples(input: &mut Input<'_>, rate: usize) -> Vec<f32> {
    let most = (rate * MAX_SECONDS).min(MAX_SAMPLES);
    let length = (input.u32() as usize) % (most + 1);
    let bytes = input.rest();
    let seed: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte as i8) / 128.0).collect();
    if seed.is_empty() {
        return vec![0.0; length];
    }
    seed.iter().copied().cycle().take(length).collect()
}
