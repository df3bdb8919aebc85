//! What MP4 files say about their tracks that the demuxer does not pass on: the code of the sample
//! entry, which names encrypted audio, and the edit list, which states how much of the encoder's
//! padding to cut. It owns a small walk over the boxes (ISO/IEC 14496-12) and reads no audio.

use std::io::{self, Read, Seek, SeekFrom};

/// Boxes looked at before a walk gives up; a real file has some dozens on the way.
const MAX_BOXES: u32 = 10_000;
/// Boxes within boxes before a walk gives up; the deepest one looked for has five around it.
const MAX_DEPTH: u32 = 8;
/// Sample entries of encrypted tracks: FairPlay, and ISO common encryption.
const ENCRYPTED: [&[u8; 4]; 6] = [b"drms", b"drmi", b"drmt", b"enca", b"encv", b"enct"];

/// A track as the movie box describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mp4Track {
    pub(super) id: u32,
    /// Code of the (first) sample entry: `mp4a`, `alac`, `enca`, …
    pub(super) entry: [u8; 4],
    /// Whether the handler says sound.
    pub(super) sound: bool,
    /// Ticks per second of `edit_start`.
    timescale: u32,
    /// Of the only edit that is not empty: start in ticks of the track, length in ticks of the
    /// movie.
    edit: Option<(u64, u64)>,
    edits: u32,
    /// Ticks of the movie in front of the first edit that is not empty.
    late: u64,
    movie_timescale: u32,
}

impl Mp4Track {
    /// Whether the sample entry says that the track is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        ENCRYPTED.contains(&&self.entry)
    }

    /// The code of the sample entry as text.
    pub(super) fn entry_name(&self) -> String {
        self.entry.escape_ascii().to_string()
    }

    /// The name of the codec, or the code of the sample entry.
    pub(super) fn codec_name(&self) -> String {
        match &self.entry {
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
        self.late as f64 / f64::from(self.movie_timescale.max(1))
    }

    /// The part of the track to play, `(start_s, length_s)`, where a single edit says so.
    pub(super) fn edit_seconds(&self) -> Option<(f64, Option<f64>)> {
        let (start, length) = self.edit.filter(|_| self.edits == 1)?;
        if self.timescale == 0 {
            return None;
        }
        let start_s = start as f64 / f64::from(self.timescale);
        let length_s = length as f64 / f64::from(self.movie_timescale.max(1));
        // Fragmented files leave the length open by zero.
        Some((start_s, (length > 0 && self.movie_timescale > 0).then_some(length_s)))
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
}

/// Reads the boxes of the MP4 file `source`.
pub(super) fn inspect<R: Read + Seek>(source: &mut R) -> Mp4 {
    let mut walk = Walk { source, boxes: 0, mp4: Mp4::default(), movie_timescale: 0 };
    // What was found before the damage still serves.
    let _ = walk.file();
    let movie_timescale = walk.movie_timescale;
    let mut mp4 = walk.mp4;
    mp4.tracks.iter_mut().for_each(|track| track.movie_timescale = movie_timescale);
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
            b"moov" | b"mdia" | b"minf" | b"stbl" | b"edts" => self.children(item.start, item.end, depth + 1),
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
            b"stsd" => {
                self.skip(12)?;
                let entry = self.bytes()?;
                self.with_track(|track| track.entry = entry)
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

    fn edit_list(&mut self) -> io::Result<()> {
        let version = self.u32()? >> 24;
        let count = self.u32()?;
        for _ in 0..count.min(16) {
            let (length, start) = match version {
                0 => (u64::from(self.u32()?), i64::from(self.u32()?.cast_signed())),
                _ => (self.u64()?, self.u64()?.cast_signed()),
            };
            self.skip(4)?;
            self.with_track(|track| match u64::try_from(start) {
                Ok(start) => {
                    track.edits += 1;
                    track.edit = Some((start, length));
                }
                Err(_) if track.edits == 0 => track.late = track.late.saturating_add(length),
                Err(_) => {}
            })?;
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
