//! Memory stays bounded: for an hour of audio, and for headers that declare sizes out of all
//! proportion.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::Path;

use voiceflow::audio::{AudioSource, FileSource};

/// Most that the process may grow by, in KiB; glibc's reservation at the start hides another 64
/// MiB. An hour of samples alone would be 225 MiB.
const MOST_KIB: u64 = 48 * 1024;

/// Peak virtual memory of this process in KiB; virtual, so that untouched allocations count.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Decodes the file, block by block, and returns the number of samples.
fn count(path: &Path) -> voiceflow::Result<usize> {
    let mut source = FileSource::open(path)?;
    let mut block = Vec::new();
    let mut total = 0;
    while source.read(&mut block)? > 0 {
        total += block.len();
        block.clear();
    }
    Ok(total)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)).unwrap()
}

/// `bytes` with `patch` written `offset` bytes behind `marker`.
fn patched(mut bytes: Vec<u8>, marker: &[u8], offset: usize, patch: &[u8]) -> Vec<u8> {
    let at = bytes.windows(marker.len()).position(|window| window == marker).unwrap() + offset;
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

// One test, since the peak is the whole process's.
#[test]
fn memory_is_bounded() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // What the first use sets up counts for none of them.
    std::fs::write(file.path(), fixture("44k.m4a")).unwrap();
    // 65 packets: the one in which the edit ends is played as a whole.
    assert_eq!(count(file.path()).unwrap(), 24_149);
    let before = peak_kib();

    // An hour of 16 kHz mono: a header and a hole in the file.
    let bytes = 3_600 * 32_000_u32;
    let original = fixture("original.wav");
    let header = original[..original.len() - 48_000].to_vec();
    let header = patched(header, b"RIFF", 4, &(bytes + 70).to_le_bytes());
    let header = patched(header, b"data", 4, &bytes.to_le_bytes());
    let mut out = std::fs::File::create(file.path()).unwrap();
    out.write_all(&header).unwrap();
    out.set_len(header.len() as u64 + u64::from(bytes)).unwrap();
    assert_eq!(count(file.path()).unwrap(), 3_600 * 16_000);
    let grown = peak_kib() - before;
    assert!(grown < MOST_KIB, "an hour of audio: {grown} KiB");

    let huge = 0x7fff_ffff_u32;
    let cases = [
        ("MP4 sample size", patched(fixture("44k.m4a"), b"stsz", 8, &huge.to_be_bytes())),
        ("MP4 sample count", patched(fixture("44k.m4a"), b"stsz", 12, &huge.to_be_bytes())),
        ("MP4 run length", patched(fixture("44k.m4a"), b"stts", 8, &huge.to_be_bytes())),
        ("MP4 media box", patched(fixture("44k.m4a"), b"mdat", 0, b"mdax")),
        ("WAV block", patched(fixture("original.wav"), b"fmt ", 20, &u16::MAX.to_le_bytes())),
        ("WAV data", patched(fixture("original.wav"), b"data", 4, &u32::MAX.to_le_bytes())),
        ("FLAC metadata", patched(fixture("16k.flac"), b"fLaC", 43, &[0xff, 0xff, 0xff])),
        ("ID3 tag", patched(fixture("16k_id3.mp3"), b"ID3", 6, &[0x7f; 4])),
    ];
    for (name, bytes) in cases {
        std::fs::write(file.path(), bytes).unwrap();
        let result = count(file.path());
        let grown = peak_kib() - before;
        println!("{name}: {grown} KiB, {result:?}");
        assert!(grown < MOST_KIB, "{name}: {grown} KiB");
    }
}
