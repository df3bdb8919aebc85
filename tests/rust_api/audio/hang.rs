//! Files that keep a demuxer busy: the deadline and the callback end the work on them.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::support::hostile::{self, boxed};
use crate::support::looks::{Looks, least, worked};
use crate::support::{root, skipped};
use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::{Call, Cancel, Error};

/// Longest time between two looks at the caller's wishes that these tests allow: far more than
/// measured, and far less than without the looks.
const LONGEST: Duration = Duration::from_secs(2);
/// Deadline that nothing comes near to which looks at it.
const PATIENCE: Duration = Duration::from_secs(600);

/// How reading a file went: samples, the longest time between two looks at the callback, and the
/// error.
struct Outcome {
    samples: usize,
    longest: Duration,
    error: Option<Error>,
}

/// Reads a file to its end, within `limit`; again where the looks were far from each other.
fn read(path: &Path, limit: Duration) -> Outcome {
    let (mut count, mut error) = (0, None);
    let longest = least(LONGEST, || {
        let (found, longest) = Looks::timed(Some(limit), |call| -> voiceflow::Result<()> {
            let mut source = FileSource::open_until(path, call)?;
            let mut samples = Vec::new();
            count = 0;
            loop {
                samples.clear();
                match source.read(&mut samples)? {
                    0 => return Ok(()),
                    read => count += read,
                }
            }
        });
        error = found.err();
        longest
    });
    Outcome { samples: count, longest, error }
}

fn read_bytes(bytes: &[u8], limit: Duration) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path(), limit)
}

#[test]
fn a_fragmented_file_is_read_and_ends_in_front_of_a_run_that_counts_to_more_than_there_is() {
    let good = hostile::fragment(1, &[hostile::run(1600, None)], &[1; 3200]);
    let mut file = hostile::fragmented_header(1);
    (0..20).for_each(|_| file.extend(&good));
    assert_eq!(read_bytes(&file, PATIENCE).samples, 32_000);
    // Each run alone would take seconds, and all of them hours.
    let runs: Vec<Vec<u8>> = (0..2000).map(|_| hostile::run(u32::MAX, None)).collect();
    file.extend(hostile::fragment(1, &runs, &[1; 3200]));
    file.extend(&good);
    let outcome = read_bytes(&file, PATIENCE);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.samples, 32_000);
    assert!(outcome.longest < LONGEST, "{:?}", outcome.longest);
}

#[test]
fn a_file_that_is_wrong_from_its_beginning_is_refused_by_what_is_wrong() {
    let mut file = hostile::fragmented_header(1);
    file.extend(hostile::fragment(1, &[hostile::run(3_000_000_000, None)], &[1; 3200]));
    let text = read_bytes(&file, PATIENCE).error.unwrap().to_string();
    assert!(text.contains("trun: expected at most") && text.contains("got 3000000000"), "{text}");
    let mut file = hostile::fragmented_header(1);
    file.extend(hostile::fragment(1, &[hostile::run(3_000_000, Some(&[2; 100]))], &[1; 3200]));
    let text = read_bytes(&file, PATIENCE).error.unwrap().to_string();
    assert!(text.contains("trun: expected 12000012 bytes for 3000000 samples, got 412"), "{text}");
    let text = read_bytes(&hostile::fragmented_header(101), PATIENCE).error.unwrap().to_string();
    assert!(text.contains("moov: expected at most 100 tracks, got 101"), "{text}");
}

#[test]
fn the_length_of_packets_that_a_file_declares_takes_no_memory() {
    for frames in [1, u32::MAX] {
        let outcome = read_bytes(&hostile::quicktime_packets(frames), PATIENCE);
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        assert_eq!(outcome.samples, 100);
    }
}

#[test]
fn a_long_table_of_times_is_walked_in_a_time_that_grows_with_its_length() {
    let outcome = read_bytes(&hostile::long_tables(500_000), PATIENCE);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.samples, 500_000);
}

#[test]
fn vorbis_codebooks_that_ask_for_gigabytes_are_refused_by_their_size() {
    let (file, mut text) = (hostile::vorbis_codebooks(1 << 17), String::new());
    let took = least(LONGEST, || {
        let begun = worked();
        text = read_bytes(&file, PATIENCE).error.unwrap().to_string();
        worked() - begun
    });
    println!("{took:.0?}: {text}");
    let expected = "codebook 0: expected at most 1048576 values up to it, got 2097152";
    assert!(text.contains(expected) && took < LONGEST, "{took:?}, {text}");
    let text = read_bytes(&hostile::vorbis_codebooks(1 << 9), PATIENCE).error.unwrap().to_string();
    assert!(text.contains("codebook 128: expected at most"), "{text}");
}

#[test]
fn the_deadline_ends_what_goes_on_and_on() {
    for (name, bytes) in hostile::files() {
        let took = least(LONGEST, || {
            let begun = worked();
            let outcome = read_bytes(&bytes, Duration::from_millis(200));
            println!("{name}: longest {:.0?}, {:?}", outcome.longest, outcome.error);
            assert!(outcome.longest < LONGEST, "{name}: {:?}", outcome.longest);
            worked() - begun
        });
        assert!(took < LONGEST, "{name}: {took:?}");
    }
}

#[test]
fn the_callback_ends_the_opening_of_a_file() {
    // Half a gigabyte of zeros between the file type and anything to play.
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut head = boxed(b"ftyp", b"M4A \0\0\0\0");
    (0..2_000_000).for_each(|_| head.extend(boxed(b"free", &[])));
    std::fs::write(file.path(), head).unwrap();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let cancel = Cancel::new();
    let stop = |_, _| {
        if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2 {
            cancel.set();
        }
    };
    let call = Call::none().with_progress(&stop).with_cancel(&cancel);
    let error = FileSource::open_until(file.path(), &call).err().unwrap();
    assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
}

#[test]
fn files_that_kept_callers_waiting_do_not() {
    let folder = root().join("../shared/cases/audio");
    let names = ["trun_hang.m4a", "trun_one_field.m4a", "joined_same.mp3", "zeros100k.mp3"];
    for name in names {
        let path = folder.join(name);
        if !path.is_file() {
            skipped(&format!("{name}, which is not in {}", folder.display()));
            continue;
        }
        let outcome = read(&path, PATIENCE);
        println!("{name}: {} samples, {:?}", outcome.samples, outcome.error);
        assert!(outcome.longest < LONGEST, "{name}: {:?}", outcome.longest);
        assert!(!matches!(outcome.error, Some(Error::Deadline { .. })), "{name}");
    }
}
