//! Files that are damaged, unfinished or joined, and those whose audio begins late.

use std::path::Path;

use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::{Call, WarningCode};

use super::{compare, decode, ffmpeg, speech};

fn pcm() -> Vec<u8> {
    let bytes = std::fs::read(speech()).unwrap();
    bytes[bytes.len() - 48_000..].to_vec()
}

/// A WAV file of 16 kHz mono whose sizes are what the arguments say.
fn wav(riff: u32, data: u32, bits: u16, align: u16, samples: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(riff.to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend((16_000 * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(samples);
    bytes
}

fn decode_bytes(bytes: &[u8]) -> Vec<f32> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    decode(file.path()).unwrap()
}

#[test]
fn a_wav_is_read_to_its_end_whatever_its_sizes_say() {
    let pcm = pcm();
    let whole = decode(speech()).unwrap();
    for riff in [0, 36, 48_028, 48_036, 0x7fff_ffff, 0xffff_ffff] {
        for data in [0, 1_000, 47_000, 48_000, 50_000, 0x7fff_ffff, 0xffff_ffff] {
            assert_eq!(decode_bytes(&wav(riff, data, 16, 2, &pcm)), whole, "RIFF {riff}, data {data}");
        }
    }
    // What follows the samples is no sound, and the format may be behind them.
    let tags: [&[u8]; 2] = [&[b"TAG".as_slice(), &[b'x'; 125]].concat(), b"ID3\x04\0\0\0\0\0\x0a0123456789"];
    for tag in tags {
        assert_eq!(decode_bytes(&[&wav(48_036, 48_000, 16, 2, &pcm), tag].concat()), whole);
    }
    let made = wav(48_036, 48_000, 16, 2, &pcm);
    assert_eq!(decode_bytes(&[&made[..12], &made[36..], &made[12..36]].concat()), whole);
    let mut tagged = wav(48_062, 48_000, 16, 2, &pcm);
    tagged.extend(b"LIST\x12\0\0\0INFOINAM\x06\0\0\0voices");
    assert_eq!(decode_bytes(&tagged), whole);
    // An empty recording stays empty.
    assert!(decode_bytes(&wav(36, 0, 16, 2, &[])).is_empty());
}

#[test]
fn samples_of_24_bits_in_4_bytes_are_read_at_either_end_of_them() {
    let whole = decode(speech()).unwrap();
    let samples: Vec<i32> = pcm().chunks(2).map(|b| i32::from(i16::from_le_bytes([b[0], b[1]]))).collect();
    for shift in [16, 8] {
        // The lowest of the 24 bits are in use, as recorders of 24 bits have it.
        let words = samples.iter().flat_map(|&sample| (sample << shift | 3 << (shift - 8)).to_le_bytes());
        let words: Vec<u8> = words.collect();
        let read = decode_bytes(&wav(96_036, 96_000, 24, 4, &words));
        let worst = read.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(read.len() == whole.len() && worst < 1e-5, "{} samples, {worst}", read.len());
    }
}

/// Makes a file of the speech, and gives its bytes.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> Vec<u8> {
    ffmpeg::make(folder, &[&["-i", speech().to_str().unwrap()], arguments, &[name]].concat());
    std::fs::read(folder.join(name)).unwrap()
}

/// That the file is as long as ffmpeg has it, and has the same samples.
fn agrees(folder: &Path, name: &str, bytes: &[u8]) {
    agrees_to(0.99, folder, name, bytes);
}

/// The same, to a correlation of so much.
fn agrees_to(least: f64, folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let (ours, reference) = (decode(&path).unwrap(), ffmpeg::decode(&path, "anull").unwrap());
    let d = compare::compare(&ours, &reference);
    assert!(d.longer_s.abs() < 0.01 && d.correlation > least && d.later_s.abs() < 0.005, "{name}: {d:?}");
}

#[test]
fn joined_files_and_junk_in_front_are_read_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let one = made(folder, "one.mp3", &["-c:a", "libmp3lame"]);
    let other = made(folder, "other.mp3", &["-ar", "44100", "-ac", "2", "-c:a", "libmp3lame"]);
    let layer_2 = made(folder, "layer_2.mp2", &["-c:a", "mp2"]);
    agrees(folder, "same.mp3", &[&one[..], &one, &one].concat());
    agrees(folder, "rates.mp3", &[&layer_2[..], &layer_2].concat());
    let mut joined = decode_bytes(&[&layer_2[..], &other].concat());
    assert!(joined.len() > 48_000, "{} samples", joined.len());
    let noise: Vec<u8> =
        (0..900_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 & 0x7f).collect();
    joined = decode_bytes(&[&noise[..], &one].concat());
    assert!(joined.len().abs_diff(24_000) < 2_000, "{} samples behind junk", joined.len());
    // Nothing but junk is refused.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &noise).unwrap();
    assert!(decode(file.path()).is_err());
}

#[test]
fn audio_that_begins_late_is_later_by_as_much() {
    let folder = tempfile::tempdir().unwrap();
    let video = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=4", "-itsoffset", "2"];
    for (name, codecs) in [
        ("late.mp4", &["-c:v", "mpeg4", "-c:a", "aac"]),
        ("late.mkv", &["-c:v", "mpeg4", "-c:a", "libopus"]),
        ("late.ts", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
    ] {
        let input = ["-i", speech().to_str().unwrap()];
        ffmpeg::make(folder.path(), &[&video[..], &input, codecs, &[name]].concat());
        let samples = decode(&folder.path().join(name)).unwrap();
        let (silence, sound) = samples.split_at(32_000 - 800);
        assert!(silence.iter().all(|sample| sample.abs() < 1e-3), "{name}: sound before it begins");
        let d = compare::compare(sound, &decode(speech()).unwrap());
        assert!((d.later_s - 0.05).abs() < 0.04 && d.correlation > 0.9, "{name}: {d:?}");
    }
}

#[test]
fn what_is_skipped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let one = made(folder.path(), "one.mp3", &["-c:a", "libmp3lame"]);
    let path = folder.path().join("junk.mp3");
    std::fs::write(&path, [&[0; 1_000][..], &one].concat()).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    while source.read(&mut Vec::new()).unwrap() > 0 {}
    let [warning] = &source.warnings()[..] else { panic!("{:?}", source.warnings()) };
    assert_eq!((warning.code, warning.time_s), (WarningCode::SkippedBytes, 0.0));
    assert_eq!(warning.text, "1000 bytes that are no audio were skipped");
    std::fs::write(&path, &one).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    while source.read(&mut Vec::new()).unwrap() > 0 {}
    assert_eq!(source.warnings(), []);
}

/// What is read of `bytes`, and which warnings there are.
fn with_warnings(bytes: &[u8]) -> (Vec<f32>, Vec<WarningCode>) {
    let mut source = FileSource::from_bytes("made", bytes, &Call::none()).unwrap();
    let mut samples = Vec::new();
    while source.read(&mut samples).unwrap() > 0 {}
    (samples, source.warnings().iter().map(|warning| warning.code).collect())
}

#[test]
fn files_that_were_cut_off_are_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("cut.mkv", &["-c:a", "flac"][..]),
        ("cut.webm", &["-c:a", "libopus"]),
        ("cut.mp3", &["-c:a", "libmp3lame"]),
        ("cut.ts", &["-c:a", "mp2", "-b:a", "160k"]),
    ] {
        let whole = made(folder.path(), name, arguments);
        // Of the last frame of MPEG audio, ffmpeg plays what there is, in place of silence.
        agrees_to(0.8, folder.path(), name, &whole[..whole.len() * 3 / 5]);
    }
    // The chunks of a CAF file end where no more of them fit.
    let caf = made(folder.path(), "twice.caf", &["-c:a", "alac"]);
    agrees(folder.path(), "twice.caf", &caf.repeat(2));
}

#[test]
fn a_file_behind_another_is_not_passed_over_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let whole = decode(speech()).unwrap();
    for (name, arguments) in [("one.mkv", ["-c:a", "flac"]), ("one.flac", ["-c:a", "flac"])] {
        let one = made(folder.path(), name, &arguments);
        let (samples, codes) = with_warnings(&one);
        assert!(samples == whole && codes.is_empty(), "{name}: {} samples, {codes:?}", samples.len());
        let (samples, codes) = with_warnings(&one.repeat(2));
        let good = samples.starts_with(&whole[..20_000]) && codes == [WarningCode::EndsEarly];
        assert!(good, "{name}: {} samples, {codes:?}", samples.len());
    }
}

#[test]
fn silence_in_a_law_is_no_gsm() {
    let bytes =
        [&[0xd5; 8_000][..], &(0..8_000).map(|n: u32| ((n * n) >> 4) as u8).collect::<Vec<_>>()].concat();
    assert!(FileSource::from_bytes("made", &bytes, &Call::none()).is_err());
    assert!(FileSource::from_bytes("made", &[0xd5; 8_000], &Call::none()).is_err());
}

#[test]
fn what_the_last_packet_is_padded_with_is_cut_while_it_comes_too() {
    let folder = tempfile::tempdir().unwrap();
    for live in ["0", "1"] {
        let bytes = made(folder.path(), "padded.webm", &["-ar", "48000", "-c:a", "libopus", "-live", live]);
        let (whole, _) = with_warnings(&bytes);
        let mut source = FileSource::live("made", &bytes[..], &Call::none()).unwrap();
        let mut samples = Vec::new();
        while source.read(&mut samples).unwrap() > 0 {}
        assert_eq!(samples.len(), 24_000, "live {live}");
        assert!(samples == whole, "live {live}: other samples than of the file");
    }
}
