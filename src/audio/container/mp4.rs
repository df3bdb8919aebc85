//! What MP4 files say about their tracks that the demuxer does not pass on: the sample entry, which
//! names encrypted audio, and the edit list and the comment of iTunes, which state how much of the
//! encoder's padding to cut. It owns a small walk over the boxes (ISO/IEC 14496-12) and reads no
//! audio.

mod edits;
mod entry;
mod gapless;

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::codecs::audio::AudioCodecParameters;

use self::edits::Edits;
pub(in crate::audio) use self::edits::Piece;
use self::entry::Entry;
use self::gapless::Gapless;
use super::fragments::MAX_TRACKS;

/// Boxes looked at before a walk gives up; a real file has some dozens on the way.
const MAX_BOXES: u32 = 10_000;
/// Boxes within boxes before a walk gives up; the deepest one looked for has five around it.
const MAX_DEPTH: u32 = 8;
/// Most bytes of a comment or of a codec's configuration that are read.
const MAX_CONFIG_BYTES: u64 = 4096;
/// Sample entries of encrypted tracks: FairPlay, and ISO common encryption.
const ENCRYPTED: [&[u8; 4]; 6] = [b"drms", b"drmi", b"drmt", b"enca", b"encv", b"enct"];

/// A track as the movie box describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mp4Track {
    pub(super) id: u32,
    /// The (first) sample entry: `mp4a`, `alac`, `enca`, …
    entry: Entry,
    /// Whether the handler says sound.
    pub(super) sound: bool,
    /// Ticks per second of the track and the movie.
    timescale: u32,
    movie_timescale: u32,
    edits: Edits,
    /// What the encoder has put around the sound, where the file has no other track of sound.
    gapless: Option<Gapless>,
}

impl Mp4Track {
    /// Whether the sample entry says that the track is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        ENCRYPTED.contains(&&self.entry.code)
    }

    /// The code of the sample entry as text.
    pub(super) fn entry_name(&self) -> String {
        self.entry.code.escape_ascii().to_string()
    }

    /// The name of the codec, or the code of the sample entry.
    pub(super) fn codec_name(&self) -> String {
        match &self.entry.code {
            b"samr" => "AMR (narrow band)".to_owned(),
            b"sawb" => "AMR (wide band)".to_owned(),
            b"ac-3" => "Dolby AC-3".to_owned(),
            b"ec-3" => "Dolby E-AC-3".to_owned(),
            b"Qclp" | b"sqcp" => "Qualcomm PureVoice (QCELP)".to_owned(),
            _ => format!("the audio codec '{}'", self.entry_name()),
        }
    }

    /// Seconds by which the track begins later than the movie: empty edits delay it.
    pub(super) fn late_s(&self) -> f64 {
        self.edits.late_s(self.movie_timescale)
    }

    /// What of the edit list is not followed.
    pub(super) fn edit_fault(&self) -> Option<&'static str> {
        self.edits.fault()
    }

    /// What is played of the track, which has `frames` samples at `rate` Hz in all; none where the
    /// file says nothing of that.
    pub(super) fn pieces(&self, frames: Option<u64>, rate: Option<u32>) -> VecDeque<Piece> {
        let mut pieces = self.edits.pieces(self.timescale, self.movie_timescale);
        let Some((gapless, rate)) = self.gapless.zip(rate.filter(|&rate| rate > 0)) else {
            return pieces;
        };
        let seconds = |samples: u64| samples as f64 / f64::from(rate);
        match pieces.front_mut() {
            None => {
                let length = frames.and_then(|frames| gapless.length_in(frames));
                pieces.push_back(Piece::Media {
                    start_s: seconds(gapless.delay),
                    length_s: length.map(seconds),
                });
            }
            // Where both state the delay, players cut the longer one.
            Some(Piece::Media { start_s, length_s }) if *start_s < seconds(gapless.delay) => {
                let more_s = seconds(gapless.delay) - *start_s;
                *start_s += more_s;
                *length_s = length_s.map(|length_s| (length_s - more_s).max(0.0));
            }
            Some(_) => {}
        }
        pieces
    }

    /// Makes `parameters` of the demuxer say what the sample entry says.
    pub(super) fn correct(&self, parameters: &mut AudioCodecParameters) {
        self.entry.correct(parameters);
    }
}

/// What the boxes of an MP4 file say.
#[derive(Debug, Default)]
pub(super) struct Mp4 {
    /// The tracks in the file's order; those before the damage where it is damaged.
    pub(super) tracks: Vec<Mp4Track>,
    /// Where the last media data box says that it ends. Beyond the end of a file that was cut off.
    pub(super) media_end: u64,
    /// Where the boxes end and zeros follow; the demuxer would take every eight of them for a box.
    pub(super) zeros_start: Option<u64>,
    /// What a demuxer is shown in place of the file's bytes, and where it stands.
    pub(super) shown: Vec<(u64, Vec<u8>)>,
    gapless: Option<Gapless>,
}

/// Reads the boxes of the MP4 file `source`.
pub(super) fn inspect<R: Read + Seek>(source: &mut R) -> Mp4 {
    let mut walk = Walk { source, boxes: 0, mp4: Mp4::default(), movie_timescale: 0 };
    // What was found before the damage still serves.
    let _ = walk.file();
    let movie_timescale = walk.movie_timescale;
    let mut mp4 = walk.mp4;
    mp4.tracks.iter_mut().for_each(|track| track.movie_timescale = movie_timescale);
    let mut sounds = mp4.tracks.iter_mut().filter(|track| track.sound);
    // The comment does not say which track it is about.
    if let (Some(track), None) = (sounds.next(), sounds.next()) {
        track.gapless = mp4.gapless.filter(|_| &track.entry.code == b"mp4a");
    }
    mp4
}

/// A box: its code and where its content lies.
#[derive(Clone, Copy)]
struct Mp4Box {
    code: [u8; 4],
    start: u64,
    end: u64,
}

struct Walk<'a, R> {
    source: &'a mut R,
    boxes: u32,
    mp4: Mp4,
    movie_timescale: u32,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn file(&mut self) -> io::Result<()> {
        let end = self.source.seek(SeekFrom::End(0))?;
        self.children(0, end, 0)
    }

    /// Visits the boxes between `start` and `end`, which have `depth` boxes around them.
    fn children(&mut self, mut start: u64, end: u64, depth: u32) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while end.saturating_sub(start) >= 8 {
            self.boxes += 1;
            if self.boxes > MAX_BOXES {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.source.seek(SeekFrom::Start(start))?;
            let short = u64::from(self.u32()?);
            let code = self.bytes()?;
            if depth == 0 && short == 0 && code == [0; 4] {
                self.mp4.zeros_start = Some(start);
                return Ok(());
            }
            let (header, size) = match short {
                0 => (8, end - start),
                1 => (16, self.u64()?),
                size => (8, size),
            };
            let declared = start.saturating_add(size.max(header));
            if &code == b"mdat" {
                self.mp4.media_end = declared;
            }
            let next = declared.min(end);
            self.visit(Mp4Box { code, start: (start + header).min(next), end: next }, depth)?;
            start = next;
        }
        Ok(())
    }

    /// Reads a box that has `depth` boxes around it.
    fn visit(&mut self, item: Mp4Box, depth: u32) -> io::Result<()> {
        match &item.code {
            b"trak" => {
                self.mp4.tracks.push(Mp4Track::default());
                self.children(item.start, item.end, depth + 1)
            }
            b"moov" | b"mdia" | b"minf" | b"stbl" | b"edts" | b"udta" | b"ilst" | b"wave" => {
                self.children(item.start, item.end, depth + 1)
            }
            // Version and flags are in front of its boxes.
            b"meta" => self.children(item.start.saturating_add(4), item.end, depth + 1),
            b"----" => self.comment(item),
            b"mvhd" => {
                self.movie_timescale = self.header_field(12, 20)?;
                Ok(())
            }
            b"tkhd" => {
                let id = self.header_field(12, 20)?;
                self.with_track(|track| track.id = id)
            }
            b"mdhd" => {
                let timescale = self.header_field(12, 20)?;
                self.with_track(|track| track.timescale = timescale)
            }
            b"hdlr" => {
                self.skip(8)?;
                let sound = &self.bytes()? == b"soun";
                self.with_track(|track| track.sound |= sound)
            }
            b"stsd" => self.sample_entry(item, depth),
            b"enda" => {
                let lowest_first = u16::from_be_bytes(self.bytes()?) == 1;
                self.with_track(|track| track.entry.lowest_first = lowest_first)
            }
            // Within a `wave` box: the configuration, behind version and flags.
            b"alac" if item.end.saturating_sub(item.start) <= MAX_CONFIG_BYTES => {
                let mut config = Vec::new();
                self.skip(4)?;
                let bytes = item.end.saturating_sub(item.start).saturating_sub(4);
                (&mut *self.source).take(bytes).read_to_end(&mut config)?;
                self.with_track(|track| track.entry.alac = Some(config.into()))
            }
            b"elst" => self.edit_list(),
            _ => Ok(()),
        }
    }

    /// A 32-bit field of a versioned header at the given offset for version 0 or 1.
    fn header_field(&mut self, version_0: i64, version_1: i64) -> io::Result<u32> {
        let version = self.u32()? >> 24;
        self.skip(if version == 0 { version_0 } else { version_1 } - 4)?;
        self.u32()
    }

    /// Reads the first sample entry.
    fn sample_entry(&mut self, item: Mp4Box, depth: u32) -> io::Result<()> {
        let at = item.start.saturating_add(8);
        self.skip(8)?;
        let size = u64::from(self.u32()?);
        let code = self.bytes()?;
        self.with_track(|track| track.entry.code = code)?;
        self.skip(8)?;
        let version = u16::from_be_bytes(self.bytes()?);
        self.skip(8)?;
        let sample_bits = u16::from_be_bytes(self.bytes()?);
        let mut shown = Vec::new();
        self.with_track(|track| {
            if track.sound {
                track.entry = Entry { code, version, sample_bits, ..Entry::default() };
                shown = track.entry.shown();
            }
        })?;
        // A file with more tracks is refused.
        if self.mp4.tracks.len() > MAX_TRACKS {
            shown.clear();
        }
        self.mp4.shown.extend(shown.into_iter().map(|(offset, bytes)| (at + offset, bytes)));
        // Sample entries of QuickTime have fields of their own in front of their boxes.
        let fields = match version {
            0 => 36,
            1 => 52,
            _ => 72,
        };
        self.children(at + fields, (at + size).min(item.end), depth + 1)
    }

    /// Reads a comment of iTunes: boxes with its name and its text.
    fn comment(&mut self, item: Mp4Box) -> io::Result<()> {
        let bytes = item.end.saturating_sub(item.start);
        if bytes > MAX_CONFIG_BYTES {
            return Ok(());
        }
        let mut content = Vec::new();
        (&mut *self.source).take(bytes).read_to_end(&mut content)?;
        let find = |wanted: &[u8]| content.windows(wanted.len()).position(|bytes| bytes == wanted);
        // Behind the code of the box with the text: version, flags, kind and locale.
        let text = find(b"iTunSMPB").and(find(b"data")).and_then(|at| content.get(at + 12..));
        let gapless = text.and_then(|text| Gapless::parse(&String::from_utf8_lossy(text)));
        self.mp4.gapless = gapless.or(self.mp4.gapless);
        Ok(())
    }

    fn edit_list(&mut self) -> io::Result<()> {
        let version = self.u32()? >> 24;
        let count = self.u32()?;
        for _ in 0..count {
            if !self.mp4.tracks.last_mut().is_some_and(|track| track.edits.has_room()) {
                break;
            }
            let (length, start) = match version {
                0 => (u64::from(self.u32()?), i64::from(self.u32()?.cast_signed())),
                _ => (self.u64()?, self.u64()?.cast_signed()),
            };
            let rate = self.u32()?;
            self.with_track(|track| track.edits.push(start, length, rate))?;
        }
        Ok(())
    }

    fn with_track(&mut self, change: impl FnOnce(&mut Mp4Track)) -> io::Result<()> {
        if let Some(track) = self.mp4.tracks.last_mut() {
            change(track);
        }
        Ok(())
    }

    fn skip(&mut self, count: i64) -> io::Result<()> {
        self.source.seek_relative(count)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.bytes().map(u64::from_be_bytes)
    }
}
