//! Damaged files end in a result, soon and in little memory: every fixture, truncated and mutated
//! at many places that are the same in every run.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::path::Path;
use std::time::Duration;

use support::looks::worked;
use voiceflow::audio::{AudioSource, FileSource};

/// Truncations and mutations of each fixture.
const CASES: u64 = 24;
/// Most samples a damaged fixture may become: damaged rates stretch it up to 48 times, damaged
/// times put in up to 600 s of silence.
const MAX_SAMPLES: usize = 16_000 * 800;

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Damages a copy of `bytes`: truncates it, or overwrites a few bytes, more often near the headers.
fn damage(bytes: &[u8], case: u64) -> Vec<u8> {
    let mut state = case;
    let mut bytes = bytes.to_vec();
    let len = bytes.len() as u64;
    if case.is_multiple_of(4) {
        let keep =
            if case.is_multiple_of(8) { next(&mut state) % len } else { next(&mut state) % len.min(300) };
        bytes.truncate(keep as usize);
        return bytes;
    }
    let reach = match case % 4 {
        1 => len.min(120),
        2 => len.min(2_000),
        _ => len,
    };
    for _ in 0..1 + next(&mut state) % 6 {
        let at = (next(&mut state) % reach) as usize;
        let value = match next(&mut state) % 4 {
            0 => 0xff,
            1 => 0,
            2 => bytes[at] ^ (1 << (next(&mut state) % 8)),
            _ => next(&mut state) as u8,
        };
        bytes[at] = value;
        if next(&mut state).is_multiple_of(3) {
            bytes[at..(at + 4).min(len as usize)].fill(value);
        }
    }
    bytes
}

fn decode(path: &Path) -> Result<usize, voiceflow::Error> {
    let mut source = FileSource::open(path)?;
    let mut block = Vec::new();
    let mut total = 0;
    while source.read(&mut block)? > 0 {
        total += block.len();
        assert!(block.iter().all(|x| x.is_finite()), "a sample that is not finite");
        block.clear();
        assert!(total <= MAX_SAMPLES, "{total} samples");
    }
    Ok(total)
}

/// Peak virtual memory of this process in KiB.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmPeak:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn damaged_files_end_in_a_result() {
    let cases = std::env::var("VOICEFLOW_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio");
    let mut fixtures: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    fixtures.sort();
    let file = tempfile::NamedTempFile::new().unwrap();
    let before = peak_kib();
    let (mut good, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    for fixture in &fixtures {
        let bytes = std::fs::read(fixture).unwrap();
        for case in 0..cases {
            let name = format!("{} case {case}", fixture.file_name().unwrap().to_string_lossy());
            std::fs::write(file.path(), damage(&bytes, case)).unwrap();
            let start = worked();
            let result = decode(file.path());
            let took = worked() - start;
            slowest = slowest.max(took);
            assert!(took < Duration::from_secs(60), "{name}: {took:?}");
            match result {
                Ok(_) => good += 1,
                Err(error) => {
                    refused += 1;
                    if error.to_string().contains("breaks the decoder") {
                        println!("{name}: {error}");
                    }
                    let path = file.path().to_string_lossy();
                    assert!(error.to_string().contains(&*path), "{name}: {error}");
                }
            }
        }
    }
    println!("{good} decoded, {refused} refused, slowest {slowest:?}");
    assert!(good > 0 && refused > 0);
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        let grown_mib = (after - before) / 1024;
        println!("peak memory grew by {grown_mib} MiB");
        assert!(grown_mib < 192, "peak memory grew by {grown_mib} MiB");
    }
}

/// `count` boxes named `code`, each within the one before, behind the head of an M4A file.
fn nested(code: &[u8; 4], count: u32) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x10ftypM4A \0\0\0\0".to_vec();
    for left in (1..=count).rev() {
        bytes.extend((8 * left).to_be_bytes());
        bytes.extend(code);
    }
    bytes
}

#[test]
fn deeply_nested_boxes_are_refused_on_a_small_stack() {
    for code in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"meta"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), nested(code, 9_900)).unwrap();
        let path = file.path().to_owned();
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let result = thread.spawn(move || decode(&path)).unwrap().join().unwrap();
        assert!(matches!(result, Err(voiceflow::Error::Audio(_))), "{}: {result:?}", code.escape_ascii());
    }
}

#[test]
fn gigabytes_of_zeros_behind_the_audio_end_it_soon() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio");
    for name in ["24k_no_tag.mp3", "44k_stereo.mp3", "16k.flac", "48k.aac", "44k.m4a", "pipe_8k.wav"] {
        let fixture = folder.join(name);
        let whole = decode(&fixture).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(&fixture, file.path()).unwrap();
        std::fs::OpenOptions::new().write(true).open(file.path()).unwrap().set_len(2 << 30).unwrap();
        let start = worked();
        let mut source = FileSource::open(file.path()).unwrap();
        let mut block = Vec::new();
        // Of a WAV file that does not know its length, the zeros are silence, of which a minute
        // will do.
        while source.read(&mut block).unwrap() > 0 && block.len() < 60 * 16_000 {}
        let took = worked() - start;
        println!("{name}: {whole} samples, {} with zeros, {took:?}", block.len());
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
        let frame = 16_000 / 20; // the last MP3 frame may go with the zeros
        assert!(block.len() + frame >= whole, "{name}: {} of {whole} samples", block.len());
    }
}
