//! Where the bytes come from changes nothing of what they are decoded to.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::{Call, Cancel, Error, Result};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio");
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read_all(source: Result<FileSource<'_>>) -> Result<Vec<f32>> {
    let (mut source, mut out) = (source?, Vec::new());
    while source.read(&mut out)? > 0 {}
    Ok(out)
}

/// A reader that gives an odd number of bytes at a time.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = buf.len().min(777);
        self.0.read(&mut buf[..wanted])
    }
}

/// What a source comes to: its samples, or the text of the error without the name of the source.
fn outcome(name: &str, source: Result<FileSource<'_>>) -> std::result::Result<Vec<f32>, String> {
    let prefix = format!("{name}: ");
    read_all(source).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix(&prefix).unwrap_or_else(|| panic!("{text}: expected the name {name}")).to_owned()
    })
}

#[test]
fn every_source_gives_what_the_file_gives() {
    let call = Call::none();
    for path in fixtures() {
        let shown = path.display().to_string();
        let expected = outcome(&shown, FileSource::open(&path));
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(outcome("bytes", FileSource::from_bytes("bytes", &bytes, &call)), expected, "{shown}");
        let seekable = FileSource::from_seekable("x", Cursor::new(bytes.clone()), &call);
        assert_eq!(outcome("x", seekable), expected, "{shown}");
        let reader = FileSource::from_reader("x", Dribble(&bytes), &call);
        assert_eq!(outcome("x", reader), expected, "{shown}");
    }
}

/// Where a format says its length in front only, live audio has no end to cut at.
#[test]
fn live_audio_is_what_the_file_is_and_comes_in_small_blocks() {
    let call = Call::none();
    for path in fixtures() {
        let bytes = std::fs::read(&path).unwrap();
        let (file, live) =
            (read_all(FileSource::open(&path)), read_all(FileSource::live("x", Dribble(&bytes), &call)));
        match (file, live) {
            (Ok(file), Ok(live)) => {
                let longer = live.len().abs_diff(file.len());
                assert!(longer <= 16_000 / 10, "{}: {} and {}", path.display(), file.len(), live.len());
                let shared = file.len().min(live.len()) - 800;
                assert_eq!(file[..shared], live[..shared], "{}", path.display());
            }
            (Err(_), Err(_)) => {}
            (file, live) => {
                panic!("{}: {:?}, {:?}", path.display(), file.map(|s| s.len()), live.map(|s| s.len()))
            }
        }
    }
}

#[test]
fn live_audio_is_given_before_all_of_it_has_come() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts what is read.
    struct Counted<'a>(Dribble<'a>, &'a AtomicUsize);
    impl Read for Counted<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(buf)?;
            self.1.fetch_add(count, Ordering::Relaxed);
            Ok(count)
        }
    }
    // A minute of silence at 16 kHz, of a recorder that does not know its length.
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend([16_000_u32, 32_000].into_iter().flat_map(u32::to_le_bytes));
    bytes.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
    bytes.resize(bytes.len() + 60 * 32_000, 0);
    let read = AtomicUsize::new(0);
    let call = Call::none();
    let mut source = FileSource::live("x", Counted(Dribble(&bytes), &read), &call).unwrap();
    let mut out = Vec::new();
    while source.read(&mut out).unwrap() > 0 {
        // What is read ahead: the buffer of the demuxer, and the delay of the resampler.
        let ahead = read.load(Ordering::Relaxed) as i64 / 2 - out.len() as i64;
        assert!(ahead < 40_000, "{ahead} samples ahead of {}", out.len());
    }
    assert!(out.len().abs_diff(60 * 16_000) < 10, "{}", out.len());
}

#[test]
fn a_source_that_fails_is_told_by_its_name_and_kind() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "the line went dead"))
        }
    }
    impl Seek for Fails {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(1_000)
        }
    }
    let call = Call::none();
    for source in [
        FileSource::from_reader("call", Fails, &call),
        FileSource::from_seekable("call", Fails, &call),
        FileSource::live("call", Fails, &call),
    ] {
        let error = source.err().unwrap();
        assert!(matches!(&error, Error::Io { path, .. } if path == Path::new("call")), "{error:?}");
        assert_eq!(error.to_string(), "call: the line went dead");
    }
    // In the middle of the audio.
    let bytes = std::fs::read(&fixtures()[0]).unwrap();
    let half = Cursor::new(bytes[..bytes.len() / 2].to_vec()).chain(Fails);
    let error = read_all(FileSource::live("call", half, &call)).unwrap_err();
    assert_eq!(error.to_string(), "call: the line went dead");
}

#[test]
fn nothing_at_all_is_an_empty_file() {
    let call = Call::none();
    for source in [
        FileSource::from_bytes("x", &[], &call),
        FileSource::from_reader("x", io::empty(), &call),
        FileSource::from_seekable("x", io::empty(), &call),
        FileSource::live("x", io::empty(), &call),
    ] {
        let text = source.err().unwrap().to_string();
        assert!(text.ends_with("got an empty file (0 bytes)"), "{text}");
    }
}

/// Megabytes are read to open a transport stream that never tells what it holds.
#[test]
fn the_opening_of_a_slow_source_is_ended_between_its_reads() {
    struct Slow<'a> {
        bytes: Cursor<Vec<u8>>,
        reads: &'a AtomicUsize,
        cancel: &'a Cancel,
    }
    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(1));
            if self.reads.fetch_add(1, Relaxed) == 50 {
                self.cancel.set();
            }
            self.bytes.read(buf)
        }
    }
    impl Seek for Slow<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }
    let packet = |at: usize| match at % 188 {
        0 => 0x47,
        1 => 0x1f,
        2 => 0xff,
        3 => 0x10,
        _ => 0,
    };
    let (reads, cancel) = (AtomicUsize::new(0), Cancel::new());
    let bytes = Cursor::new((0..8 << 20).map(packet).collect());
    let call = Call::none().with_cancel(&cancel);
    let source = FileSource::from_seekable("x", Slow { bytes, reads: &reads, cancel: &cancel }, &call);
    assert!(matches!(source.err(), Some(Error::Cancelled { .. })));
    assert!(reads.load(Relaxed) < 100, "{reads:?} reads");
}
