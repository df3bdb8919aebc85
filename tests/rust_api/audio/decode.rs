//! Files: every codec and container comes out aligned with the original, every other file is
//! refused for the right reason.

use std::path::{Path, PathBuf};

use voiceflow::audio::{AudioSource, BufferSource, FileSource};
use voiceflow::{Error, Result};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)
}

fn read_all(source: &mut dyn AudioSource) -> Result<Vec<f32>> {
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let count = source.read(&mut out)?;
        assert_eq!(out.len() - before, count);
        assert!(count <= 16_000, "a block of {count} samples");
        if count == 0 {
            assert_eq!(source.read(&mut out)?, 0, "the end is no longer the end");
            return Ok(out);
        }
    }
}

fn decode(path: &Path) -> Result<Vec<f32>> {
    read_all(&mut FileSource::open(path)?)
}

fn original() -> Vec<f32> {
    let bytes = std::fs::read(fixture("original.wav")).unwrap();
    let (_, pcm) = bytes.split_at(bytes.len() - 48_000);
    pcm.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect()
}

/// Writes `bytes` to a temporary file and opens it.
fn decode_bytes(bytes: &[u8]) -> Result<Vec<f32>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    decode(file.path())
}

fn refusal(result: Result<Vec<f32>>) -> String {
    match result {
        Err(Error::Audio(text)) => text,
        Err(other) => panic!("expected Error::Audio, got {other:?}"),
        Ok(samples) => panic!("expected Error::Audio, got {} samples", samples.len()),
    }
}

/// The best normalised correlation of `b` with `a` and the delay of `b` in samples at which it is.
fn align(a: &[f32], b: &[f32]) -> (f64, isize) {
    let at =
        |x: &[f32], i: isize| usize::try_from(i).ok().and_then(|i| x.get(i)).map_or(0.0, |&v| f64::from(v));
    let energy = |x: &[f32]| x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    let norm = (energy(a) * energy(b)).sqrt();
    let correlation =
        |lag: isize| (0..a.len() as isize).map(|i| at(a, i) * at(b, i + lag)).sum::<f64>() / norm;
    (-1_600..=1_600).step_by(1).map(|lag| (correlation(lag), lag)).max_by(|x, y| x.0.total_cmp(&y.0)).unwrap()
}

#[test]
fn every_format_comes_out_aligned_with_the_original() {
    let original = original();
    // Name, seconds, least correlation, delay in samples. ADTS, and MP3 without the LAME tag, do
    // not say how much padding they begin with: 1024 frames at 48 kHz, and 1105 at 24 kHz.
    let cases = [
        ("original.wav", 1.5, 0.9999, 0),
        ("u8_8k.wav", 1.5, 0.93, 0),
        ("s24_16k.wav", 0.2, 0.9999, 0),
        ("s32_8k.wav", 0.4, 0.93, 0),
        ("s16_11k_stereo.wav", 0.4, 0.95, 0),
        ("f32_8k.wav", 0.4, 0.93, 0),
        ("f64_8k.wav", 0.2, 0.93, 0),
        ("mulaw_8k.wav", 1.5, 0.93, 0),
        ("alaw_8k.wav", 1.5, 0.93, 0),
        ("adpcm_ima_8k.wav", 1.5, 0.93, 0),
        ("pipe_8k.wav", 1.5, 0.93, 0),
        ("16k.flac", 1.5, 0.9999, 0),
        ("22k_stereo.flac", 0.4, 0.99, 0),
        ("16k_6ch.flac", 0.2, 0.999, 0),
        ("44k_stereo.mp3", 1.5, 0.95, 0),
        ("16k_id3.mp3", 1.5, 0.95, 0),
        ("24k_no_tag.mp3", 1.5, 0.95, 737),
        ("44k.ogg", 1.5, 0.95, 0),
        ("16k_stereo.ogg", 1.5, 0.95, 0),
        ("44k.m4a", 1.5, 0.95, 0),
        ("16k_stereo_faststart.m4a", 1.5, 0.95, 0),
        ("48k_fragmented.m4a", 1.5, 0.95, 0),
        ("48k.aac", 1.5, 0.95, 341),
        ("opus.ogg", 1.5, 0.93, 0),
        ("alac.m4a", 0.2, 0.9999, 0),
    ];
    for (name, seconds, least, delay) in cases {
        let mut source = FileSource::open(fixture(name)).unwrap();
        let hint = source.len_hint();
        let samples = read_all(&mut source).unwrap();
        let (correlation, lag) = align(&original[..(seconds * 16_000.0) as usize], &samples);
        println!("{name}: {} samples, hint {hint:?}, correlation {correlation:.4} at {lag}", samples.len());
        assert!(correlation > least, "{name}: correlation {correlation}");
        assert!((lag - delay).abs() <= 80, "{name}: delay {lag}, expected {delay} within 5 ms");
        // ADPCM fills its last block.
        let padding = if delay > 0 {
            0.15
        } else if name.starts_with("adpcm") || name.ends_with("m4a") {
            // The packet in which the sound ends.
            0.065
        } else {
            0.002
        };
        let length_s = samples.len() as f64 / 16_000.0;
        assert!((seconds - 0.002..seconds + padding).contains(&length_s), "{name}: {length_s} s");
        if let Some(hint) = hint {
            let off = hint.abs_diff(samples.len() as u64);
            assert!(off <= 2_400, "{name}: hint {hint}, got {}", samples.len());
        }
    }
}

#[test]
fn lossless_16_khz_mono_is_bit_exact() {
    let original = original();
    assert_eq!(decode(&fixture("original.wav")).unwrap(), original);
    assert_eq!(decode(&fixture("16k.flac")).unwrap(), original);
}

#[test]
fn chained_streams_of_different_rates_follow_each_other() {
    let original = original();
    let samples = decode(&fixture("chained.ogg")).unwrap();
    assert!(samples.len().abs_diff(48_000) < 64, "{} samples", samples.len());
    let (first, second) = samples.split_at(24_000);
    for part in [first, second] {
        let (correlation, lag) = align(&original, part);
        assert!(correlation > 0.95 && lag.abs() <= 80, "{correlation} at {lag}");
    }
}

#[test]
fn he_aac_gives_its_core() {
    let mut bytes = std::fs::read(fixture("44k.m4a")).unwrap();
    let at = bytes.windows(4).position(|w| w == [0x56, 0xe5, 0x00, 0x06]).unwrap();
    bytes[at + 2] = 0x88; // spectral band replication is present
    let (correlation, lag) = align(&original(), &decode_bytes(&bytes).unwrap());
    assert!(correlation > 0.95 && lag.abs() <= 80, "{correlation} at {lag}");
}

#[test]
fn what_is_no_audio_is_refused_by_name() {
    let text = |name: &str| refusal(decode(&fixture(name)));
    for (name, part) in [
        ("drms.m4a", "DRM-protected (sample entry 'drms')"),
        ("enca.m4a", "DRM-protected (sample entry 'enca')"),
        ("video_only.mp4", "expected an audio track"),
        ("picture.png", "a PNG picture"),
    ] {
        let text = text(name);
        println!("{text}");
        assert!(text.contains(part) && text.contains(name), "{text}");
    }
    assert!(refusal(decode_bytes(b"")).ends_with("got an empty file (0 bytes)"));
    assert!(refusal(decode_bytes(&b"Who spoke when?\n".repeat(9_000))).ends_with("got a text file"));
    assert!(refusal(decode_bytes(&[0; 100_000])).contains("expected WAV"));
}

#[test]
fn noise_is_refused() {
    let mut state = 1_u64;
    for _ in 0..40 {
        let noise: Vec<u8> = (0..50_000).map(|_| next(&mut state) as u8).collect();
        refusal(decode_bytes(&noise));
    }
}

#[test]
fn the_system_refusals_name_the_path() {
    let folder = fixture("");
    assert!(matches!(FileSource::open(&folder).err().unwrap(), Error::Io { path, reason, .. }
        if path == folder && reason.contains("a folder")));
    let missing = fixture("missing.wav");
    assert!(matches!(FileSource::open(&missing).err().unwrap(), Error::NotFound(path) if path == missing));
    // Root may read everything, so a name that the system cannot look up stands for a file it
    // refuses.
    let refused = fixture(&"x".repeat(5_000));
    assert!(matches!(FileSource::open(&refused).err().unwrap(), Error::Io { path, .. } if path == refused));
    #[cfg(target_os = "linux")]
    assert!(FileSource::open(Path::new("/dev/zero")).err().unwrap().to_string().contains("found a device"));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_keeps_no_caller() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("call.wav");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // On a thread of its own: a test that waits for a writer would never fail.
    let (sender, receiver) = std::sync::mpsc::channel();
    let path = fifo.clone();
    std::thread::spawn(move || sender.send(FileSource::open(&path).err()));
    let error = receiver.recv_timeout(std::time::Duration::from_secs(120)).unwrap().unwrap();
    let expected = format!("{}: expected a regular file, found a pipe (FIFO)", fifo.display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn truncated_files_give_what_they_have() {
    for name in
        ["original.wav", "16k.flac", "44k_stereo.mp3", "chained.ogg", "16k_stereo_faststart.m4a", "48k.aac"]
    {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let whole = decode(&fixture(name)).unwrap();
        let part = decode_bytes(&bytes[..bytes.len() * 6 / 10]).unwrap();
        println!("{name}: {} of {} samples", part.len(), whole.len());
        assert!((whole.len() / 4..whole.len()).contains(&part.len()), "{name}: {}", part.len());
        let same = part.len() - 1_600;
        let worst = part[..same].iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{name}: differs by {worst}");
        refusal(decode_bytes(&bytes[..20]));
    }
}

#[test]
fn damaged_packets_leave_later_times_right() {
    // Name, where the damage begins as a share of the file, and the most samples by which it may
    // move what follows: MP3 and ADTS have no timestamps.
    for (name, share, most) in [
        ("16k.flac", 0.45, 0),
        ("44k.ogg", 0.48, 64),
        ("44k.m4a", 0.45, 0),
        ("16k_stereo_faststart.m4a", 0.45, 0),
        ("16k_id3.mp3", 0.45, 3_000),
        ("48k.aac", 0.45, 2_000),
    ] {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let whole = decode(&fixture(name)).unwrap();
        let at = (bytes.len() as f64 * share) as usize;
        bytes[at..at + 300].fill(0x5a);
        let damaged = decode_bytes(&bytes).unwrap();
        let moved = damaged.len().abs_diff(whole.len());
        assert!(damaged != whole && moved <= most, "{name}: {} of {} samples", damaged.len(), whole.len());
        let tail = |samples: &[f32]| samples[samples.len() - 8_000..].to_vec();
        let (correlation, lag) = align(&tail(&whole), &tail(&damaged));
        assert!(correlation > 0.95, "{name}: {correlation}");
        assert!(lag.unsigned_abs() <= most, "{name}: later by {lag}");
    }
}

/// A WAV file of one `data` chunk.
fn wav(format: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let align = channels * bits / 8;
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes[4..8].copy_from_slice(&(36 + data.len() as u32).to_le_bytes());
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn f32_bytes(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn a_wav_without_samples_is_empty_audio() {
    assert!(decode_bytes(&wav(1, 1, 16_000, 16, &[])).unwrap().is_empty());
    assert!(decode_bytes(&wav(1, 2, 44_100, 16, &[])).unwrap().is_empty());
}

#[test]
fn ten_milliseconds_are_enough() {
    for (rate, frames) in [(8_000, 80), (16_000, 160), (44_100, 441), (192_000, 1_920)] {
        let samples = decode_bytes(&wav(3, 1, rate, 32, &f32_bytes(&vec![0.5; frames]))).unwrap();
        assert_eq!(samples.len(), 160, "{rate} Hz");
    }
}

#[test]
fn float_files_are_checked_like_buffers() {
    let text = refusal(decode_bytes(&wav(3, 1, 16_000, 32, &f32_bytes(&[0.0, 0.5, f32::NAN]))));
    assert!(text.ends_with(": sample 2 (0.000 s): expected a finite value, got NaN"), "{text}");
    let loud = decode_bytes(&wav(3, 1, 16_000, 32, &f32_bytes(&[1.5, -7.0, 1e30]))).unwrap();
    assert_eq!(loud, [1.5, -7.0, 1e6]);
    let huge: Vec<u8> = [1e300_f64, -1e300].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(decode_bytes(&wav(3, 1, 16_000, 64, &huge)).unwrap(), [1e6, -1e6]);
    let infinite: Vec<u8> = f64::INFINITY.to_le_bytes().to_vec();
    assert!(refusal(decode_bytes(&wav(3, 1, 16_000, 64, &infinite))).contains("got inf"));
}

#[test]
fn rates_and_channels_of_files_have_the_documented_range() {
    let data = [0; 9_600];
    for rate in [1_000, 8_000, 48_000, 192_000, 768_000] {
        let expected = (2_400.0 * 16_000.0 / f64::from(rate)).round() as usize;
        assert_eq!(decode_bytes(&wav(1, 2, rate, 16, &data)).unwrap().len(), expected, "{rate} Hz");
    }
    for rate in [0, 999, 768_001, 4_000_000] {
        let text = refusal(decode_bytes(&wav(1, 1, rate, 16, &data)));
        println!("{text}");
        assert!(rate == 0 || text.contains(&format!("expected 1000 to 768000 Hz, got {rate} Hz")), "{text}");
    }
    for channels in [1, 2, 6, 8, 24] {
        let count = decode_bytes(&wav(1, channels, 16_000, 16, &data)).unwrap().len();
        assert_eq!(count, 4_800 / usize::from(channels), "{channels} channels");
    }
    for channels in [0, 33] {
        let text = refusal(decode_bytes(&wav(1, channels, 16_000, 16, &data)));
        assert!(text.contains("channel count"), "{text}");
    }
}

#[test]
fn a_length_beyond_the_file_is_no_hint() {
    let mut bytes = wav(1, 1, 16_000, 16, &[0; 320]);
    bytes[4..8].copy_from_slice(&0x7fff_ff00_u32.to_le_bytes());
    bytes[40..44].copy_from_slice(&0x7fff_fe00_u32.to_le_bytes());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let mut source = FileSource::open(file.path()).unwrap();
    assert!(source.len_hint().unwrap() <= 200, "{:?}", source.len_hint());
    assert_eq!(read_all(&mut source).unwrap().len(), 160);
}

#[test]
fn buffers_and_files_agree() {
    let pcm: Vec<i16> = (0..88_200).map(|n| ((n * 37) % 20_000 - 10_000) as i16).collect();
    let bytes: Vec<u8> = pcm.iter().flat_map(|x| x.to_le_bytes()).collect();
    let from_file = decode_bytes(&wav(1, 2, 44_100, 16, &bytes)).unwrap();
    let mut from_i16 = BufferSource::from_i16(&pcm, 44_100, 2).unwrap();
    assert_eq!(from_i16.len_hint(), Some(16_000));
    assert_eq!(read_all(&mut from_i16).unwrap(), from_file);
    let floats: Vec<f32> = pcm.iter().map(|&x| f32::from(x) / 32_768.0).collect();
    assert_eq!(read_all(&mut BufferSource::from_f32(&floats, 44_100, 2).unwrap()).unwrap(), from_file);
    assert_eq!(from_file.len(), 16_000);
}

#[test]
fn an_empty_buffer_is_at_its_end() {
    for rate in [16_000, 44_100] {
        let mut source = BufferSource::from_f32(&[], rate, 2).unwrap();
        assert_eq!(source.len_hint(), Some(0));
        assert!(read_all(&mut source).unwrap().is_empty());
    }
    assert!(matches!(BufferSource::from_i16(&[1], 16_000, 0).err(), Some(Error::InvalidArgument(_))));
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
