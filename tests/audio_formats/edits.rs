//! MP4 files whose edit lists play pieces of their audio, and those in which iTunes states the
//! padding of its encoder. They are made of a file of ffmpeg's by exchanging its boxes.

use std::path::Path;

use voiceflow::WarningCode;
use voiceflow::audio::{AudioSource, FileSource};

use super::{compare, decode, ffmpeg, speech};

/// An edit: milliseconds, where in the track it begins in samples or -1, and its rate.
type Edit = (u32, i32, f64);

/// Samples a second of the track.
const RATE: i32 = 44_100;
/// Samples of the encoder in front of the sound.
const DELAY: i32 = 1_024;

fn boxed(code: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], code, content].concat()
}

/// Boxes by their codes and contents.
fn boxes(mut bytes: &[u8]) -> Vec<(&[u8; 4], &[u8])> {
    let mut found = Vec::new();
    while let Some((head, _)) = bytes.split_first_chunk::<8>() {
        let size = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
        found.push((bytes[4..8].first_chunk().unwrap(), &bytes[8..size]));
        bytes = &bytes[size..];
    }
    found
}

fn edit_list(edits: &[Edit]) -> Vec<u8> {
    let mut list = [0_u32.to_be_bytes(), (edits.len() as u32).to_be_bytes()].concat();
    for &(length, start, rate) in edits {
        list.extend(length.to_be_bytes());
        list.extend(start.to_be_bytes());
        list.extend(((rate * 65_536.0) as u32).to_be_bytes());
    }
    boxed(b"edts", &boxed(b"elst", &list))
}

fn comment(delay: u32, padding: u32, length: u32) -> Vec<u8> {
    let text = format!(" 00000000 {delay:08X} {padding:08X} {length:016X} 00000000 00000000");
    let full = |text: &[u8]| [&[0; 4][..], text].concat();
    let data = [&[0, 0, 0, 1, 0, 0, 0, 0][..], text.as_bytes()].concat();
    let parts = [
        boxed(b"mean", &full(b"com.apple.iTunes")),
        boxed(b"name", &full(b"iTunSMPB")),
        boxed(b"data", &data),
    ];
    let list = boxed(b"ilst", &boxed(b"----", &parts.concat()));
    let handler = boxed(b"hdlr", &[&[0; 8][..], b"mdirappl", &[0; 9]].concat());
    boxed(b"udta", &boxed(b"meta", &full(&[handler, list].concat())))
}

/// `file` with these edits in place of its own, and `more` behind its tracks.
fn edited(file: &[u8], edits: Option<&[Edit]>, more: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    for (code, content) in boxes(file) {
        if code != b"moov" {
            made.extend(boxed(code, content));
            continue;
        }
        let mut movie = Vec::new();
        for (code, content) in boxes(content).into_iter().filter(|(code, _)| *code != b"udta") {
            if code != b"trak" {
                movie.extend(boxed(code, content));
                continue;
            }
            let kept = boxes(content).into_iter().filter(|(code, _)| *code != b"edts");
            let mut track: Vec<u8> = kept.flat_map(|(code, content)| boxed(code, content)).collect();
            track.extend(edits.map(edit_list).unwrap_or_default());
            movie.extend(boxed(code, &track));
        }
        movie.extend(more);
        made.extend(boxed(code, &movie));
    }
    made
}

/// AAC of 3 s, behind whose samples the boxes stand.
fn original(folder: &Path) -> Vec<u8> {
    let input = ["-stream_loop", "1", "-i", speech().to_str().unwrap(), "-ar", "44100", "-c:a", "aac"];
    ffmpeg::make(folder, &[&input[..], &["original.m4a"]].concat());
    std::fs::read(folder.join("original.m4a")).unwrap()
}

/// The samples and warnings of `bytes`, and ffmpeg's.
fn both(folder: &Path, bytes: &[u8]) -> (Vec<f32>, Vec<WarningCode>, Vec<f32>) {
    let path = folder.join("edited.m4a");
    std::fs::write(&path, bytes).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    let mut samples = Vec::new();
    while source.read(&mut samples).unwrap() > 0 {}
    let codes = source.warnings().iter().map(|warning| warning.code).collect();
    (samples, codes, ffmpeg::decode(&path, "anull").unwrap())
}

#[test]
fn the_pieces_of_an_edit_list_are_those_that_ffmpeg_plays() {
    let folder = tempfile::tempdir().unwrap();
    let file = original(folder.path());
    let slow = [WarningCode::UnfollowedEdit];
    for (edits, warnings) in [
        (&[(1_000, DELAY, 1.0), (500, DELAY + 2 * RATE, 1.0)][..], &[][..]),
        (&[(1_000, DELAY + RATE, 1.0), (1_000, DELAY, 1.0)], &[]),
        (&[(700, DELAY, 1.0), (700, DELAY, 1.0), (700, DELAY, 1.0)], &[]),
        (&[(500, DELAY, 1.0), (500, 20 * RATE, 1.0)], &[]),
        (&[(9_000, DELAY, 1.0)], &[]),
        (&[(500, DELAY, 1.0), (500, DELAY + RATE, 0.0), (500, DELAY + 2 * RATE, 1.0)], &slow),
        (&[(2_000, DELAY, 2.0)], &slow),
    ] {
        let (ours, codes, reference) = both(folder.path(), &edited(&file, Some(edits), &[]));
        let d = compare::compare(&ours, &reference);
        let good = d.longer_s.abs() < 0.01 && d.later_s.abs() < 0.001 && d.correlation > 0.999;
        assert!(good, "{edits:?}: {d:?}");
        assert_eq!(codes, warnings, "{edits:?}");
    }
    let many: Vec<Edit> = (0..101).map(|n| (20, DELAY + n * 441, 1.0)).collect();
    let (_, codes, _) = both(folder.path(), &edited(&file, Some(&many), &[]));
    assert_eq!(codes, slow);
}

#[test]
fn an_edit_in_which_nothing_is_played_is_silence() {
    let folder = tempfile::tempdir().unwrap();
    let file = original(folder.path());
    let edits = [(250, -1, 1.0), (1_000, DELAY, 1.0), (500, -1, 1.0), (600, DELAY + RATE, 1.0)];
    std::fs::write(folder.path().join("gap.m4a"), edited(&file, Some(&edits), &[])).unwrap();
    let samples = decode(&folder.path().join("gap.m4a")).unwrap();
    let packet = 1_024.0 / 44_100.0 * 16_000.0;
    let quiet = |from: f64, to: f64| samples[from as usize..to as usize].iter().all(|x| x.abs() < 1e-4);
    assert!(quiet(0.0, 3_990.0) && quiet(20_000.0 + packet + 20.0, 27_980.0), "{}", samples.len());
    assert!((samples.len() as f64 - 37_600.0).abs() < 2.0 * packet + 20.0, "{}", samples.len());
}

#[test]
fn silence_beyond_what_is_put_into_a_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = original(folder.path());
    for (silence_ms, length_s, warnings) in [
        (600_000, 601.0, &[][..]),
        (700_000, 601.0, &[WarningCode::UnfollowedEdit]),
        (u32::MAX, 601.0, &[WarningCode::UnfollowedEdit]),
    ] {
        let edits = [(500, DELAY, 1.0), (silence_ms, -1, 1.0), (500, DELAY + RATE, 1.0)];
        let path = folder.path().join("long.m4a");
        std::fs::write(&path, edited(&file, Some(&edits), &[])).unwrap();
        let mut source = FileSource::open(&path).unwrap();
        let mut samples = Vec::new();
        while source.read(&mut samples).unwrap() > 0 {}
        let codes: Vec<WarningCode> = source.warnings().iter().map(|warning| warning.code).collect();
        assert_eq!(codes, warnings, "{silence_ms}");
        assert!((samples.len() as f64 / 16_000.0 - length_s).abs() < 0.1, "{}", samples.len());
    }
}

#[test]
fn the_padding_that_itunes_states_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = original(folder.path());
    let all = decode(&folder.path().join("original.m4a")).unwrap().len();
    let own = [(3_000, DELAY, 1.0)];
    for (edits, delay) in [(None, 1_024), (None, 2_112), (Some(&own[..]), 2_112), (Some(&own), 600)] {
        let (ours, codes, reference) =
            both(folder.path(), &edited(&file, edits, &comment(delay, 0, 132_300)));
        let d = compare::compare(&ours, &reference);
        let good = d.longer_s.abs() < 0.01 && d.later_s.abs() < 0.001 && d.correlation > 0.999;
        // Where the edit list cuts more, it rules.
        assert!(good || delay == 600 && ours.len() == all, "{delay}: {d:?}, {} of {all}", ours.len());
        assert_eq!(codes, []);
    }
    // Nonsense is none.
    let (ours, _, _) = both(folder.path(), &edited(&file, None, &comment(60_000, 0, 132_300)));
    assert!(ours.len() > all + 300);
}
