//! MP4 files whose boxes ask a demuxer for more work than their bytes are worth (ISO/IEC 14496-12):
//! the demuxer counts to what a track run declares, whether or not the file holds so many samples,
//! and compares each track with each fragment. This source looks at every box of the file's highest
//! level before the demuxer sees a byte of it, as the demuxer proceeds, ends the data in front of
//! one that asks for too much, and shows long tables of times shorter than they are. It owns those
//! limits.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use super::times::{self, MAX_TABLE_BYTES, MAX_TIMES};
use crate::audio::leash::{Leash, MAX_BYTES};

/// Most tracks in a file. Recordings of many microphones have a few dozen.
pub(super) const MAX_TRACKS: usize = 100;
/// Most samples in the runs of one fragment that say nothing of each: a day of AAC, six minutes of
/// 48 kHz audio whose samples are single frames.
const MAX_PLAIN_SAMPLES: u64 = 1 << 24;
/// Most boxes in a movie box, not counting those within its tracks.
const MAX_MOVIE_BOXES: u32 = 10_000;
/// Most boxes in all tracks of a movie box.
const MAX_TRACK_BOXES: u32 = 100_000;
/// Flags of a track run that announce four bytes in front of the samples, and four bytes for each
/// sample.
const RUN_FIELDS: u32 = 0x005;
const SAMPLE_FIELDS: u32 = 0xf00;

/// Codes of boxes that may stand in front of the file type.
const SKIPPED: [&[u8; 4]; 5] = [b"free", b"skip", b"wide", b"pnot", b"uuid"];

/// Where the file type box of an MP4 file is, if this is one: at `start`, or behind a few boxes
/// that say nothing.
pub(super) fn file_type<S: Read + Seek>(source: &mut S, start: u64, within: u64) -> io::Result<Option<u64>> {
    let end = start.saturating_add(within);
    let mut at = start;
    while at < end {
        let Some(header) = Header::read(source, at)? else {
            break;
        };
        match &header.code {
            b"ftyp" => return Ok(Some(at)),
            code if SKIPPED.contains(&code) && header.end > at => at = header.end,
            _ => break,
        }
    }
    Ok(None)
}

/// A source whose boxes are checked before they are read.
pub(super) struct Checked<'a, S> {
    source: S,
    leash: Leash<'a>,
    position: u64,
    /// Where the boxes begin. To a demuxer that looks from the beginning of the file on, what is in
    /// front of them is a box to skip.
    start: u64,
    /// Where the next box begins that was not checked.
    checked: u64,
    /// Where the data ends.
    len: u64,
    /// Bytes that are really there.
    bytes: u64,
    /// What is read in place of the file's bytes, and where it begins.
    replaced: Vec<(u64, Vec<u8>)>,
}

impl<'a, S: MediaSource> Checked<'a, S> {
    /// The boxes of `source`, of which `bytes` bytes are really there, from `start` on. `shown` is
    /// what is read in place of the file's bytes, and where it begins.
    pub(super) fn new(
        source: S,
        start: u64,
        bytes: u64,
        shown: Vec<(u64, Vec<u8>)>,
        leash: Leash<'a>,
    ) -> Self {
        let len = source.byte_len().unwrap_or(bytes);
        Self { source, leash, position: 0, start, checked: start, len, bytes, replaced: shown }
    }

    /// Checks boxes until the one at the position is, or the data ends in front of it.
    fn check_to_position(&mut self) -> io::Result<()> {
        while self.checked <= self.position && self.checked < self.len {
            self.leash.look_or_end()?;
            let header = Header::read(&mut self.source, self.checked)?;
            // The rest is no box, and the demuxer does not take it for one.
            let Some(header) = header else {
                return self.all_checked();
            };
            let end = header.end.min(self.len);
            let fault = match &header.code {
                b"moof" => self.fragment(&header, end)?,
                b"moov" => self.movie(&header, end)?,
                _ => None,
            };
            if let Some(fault) = fault {
                self.len = self.checked;
                self.leash.end_damaged(fault);
            } else {
                self.checked = end;
            }
        }
        self.source.seek(SeekFrom::Start(self.position)).map(|_| ())
    }

    fn all_checked(&mut self) -> io::Result<()> {
        self.checked = self.len;
        self.source.seek(SeekFrom::Start(self.position)).map(|_| ())
    }

    /// What is wrong with a movie fragment.
    fn fragment(&mut self, header: &Header, end: u64) -> io::Result<Option<String>> {
        let size = end.saturating_sub(header.content);
        if size > MAX_BYTES {
            return Ok(Some(format!("moof: expected at most {MAX_BYTES} bytes, got {size}")));
        }
        let mut content = Vec::new();
        self.source.seek(SeekFrom::Start(header.content))?;
        (&mut self.source).take(size).read_to_end(&mut content)?;
        Ok(fragment_fault(&content, self.bytes.saturating_sub(end)))
    }

    /// What is wrong with the movie box.
    fn movie(&mut self, header: &Header, end: u64) -> io::Result<Option<String>> {
        let (mut tracks, mut extensions) = (Vec::new(), 0);
        let mut left = MAX_MOVIE_BOXES;
        // The movie box, and in it the box that announces fragments.
        let few = self.walk((header.content, end), &[b"mvex"], &mut left, |_, child| {
            match &child.code {
                b"trak" => tracks.push((child.content, child.end)),
                b"trex" => extensions += 1,
                _ => {}
            }
            Ok(())
        })?;
        if !few {
            return Ok(Some(format!("moov: expected at most {MAX_MOVIE_BOXES} boxes, got more")));
        }
        let most = tracks.len().max(extensions);
        if most > MAX_TRACKS {
            return Ok(Some(format!("moov: expected at most {MAX_TRACKS} tracks, got {most}")));
        }
        self.tables_of_times(tracks)
    }

    /// Shortens the tables of times in `tracks`, and says what is wrong with them.
    fn tables_of_times(&mut self, tracks: Vec<(u64, u64)>) -> io::Result<Option<String>> {
        let mut tables = Vec::new();
        let mut left = MAX_TRACK_BOXES;
        for track in tracks {
            let mut timescale = 0;
            let few = self.walk(track, &[b"mdia", b"minf", b"stbl"], &mut left, |own, child| {
                match &child.code {
                    b"mdhd" => timescale = own.timescale(child)?,
                    b"stts" => tables.push((child.content, child.end, timescale)),
                    _ => {}
                }
                Ok(())
            })?;
            if !few {
                let text = format!("trak: expected at most {MAX_TRACK_BOXES} boxes in all, got more");
                return Ok(Some(text));
            }
        }
        let most = MAX_TIMES / tables.len().max(1);
        for (at, end, timescale) in tables {
            let size = end - at;
            if size > MAX_TABLE_BYTES {
                return Ok(Some(format!("stts: expected at most {MAX_TABLE_BYTES} bytes, got {size}")));
            }
            // Eight bytes for each entry, and eight in front of them.
            if size / 8 <= most as u64 {
                continue;
            }
            let mut content = Vec::new();
            self.source.seek(SeekFrom::Start(at))?;
            (&mut self.source).take(size).read_to_end(&mut content)?;
            if let Some(table) = times::shortened(&content, timescale, most) {
                self.replaced.push((at, table));
            }
        }
        Ok(None)
    }

    /// Visits the boxes of `span`, and those in boxes whose codes are `within`. Takes their number
    /// from `left`; `false` where there are more.
    fn walk(
        &mut self,
        span: (u64, u64),
        within: &[&[u8; 4]],
        left: &mut u32,
        mut visit: impl FnMut(&mut Self, &Header) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut spans = vec![span];
        while let Some((mut at, end)) = spans.pop() {
            while end.saturating_sub(at) >= 8 {
                self.leash.look_or_end()?;
                let Some(child) = Header::read(&mut self.source, at)? else {
                    break;
                };
                if child.end > end {
                    break;
                }
                let Some(less) = left.checked_sub(1) else {
                    return Ok(false);
                };
                *left = less;
                visit(self, &child)?;
                if within.contains(&&child.code) {
                    spans.push((child.content, child.end));
                }
                at = child.end;
            }
        }
        Ok(true)
    }

    /// The ticks a second that a media header states.
    fn timescale(&mut self, header: &Header) -> io::Result<u32> {
        let mut content = Vec::with_capacity(24);
        self.source.seek(SeekFrom::Start(header.content))?;
        (&mut self.source).take(24).read_to_end(&mut content)?;
        let at = if content.first() == Some(&1) { 20 } else { 12 };
        Ok(u32_at(&content, at).unwrap_or_default())
    }
}

/// What is wrong with the content of a movie fragment that `behind` bytes follow.
fn fragment_fault(content: &[u8], behind: u64) -> Option<String> {
    let mut tracks = 0;
    let mut plain = 0_u64;
    for (_, track) in children(content).filter(|(code, _)| code == b"traf") {
        tracks += 1;
        if tracks > MAX_TRACKS {
            return Some(format!("moof: expected at most {MAX_TRACKS} track fragments, got more"));
        }
        for (_, run) in children(track).filter(|(code, _)| code == b"trun") {
            let (Some(flags), Some(count)) = (u32_at(run, 0), u32_at(run, 4)) else {
                continue;
            };
            let per_sample = 4 * u64::from((flags & SAMPLE_FIELDS).count_ones());
            let before = 8 + 4 * u64::from((flags & RUN_FIELDS).count_ones());
            let needed = before + u64::from(count) * per_sample;
            if needed > run.len() as u64 {
                let got = run.len();
                return Some(format!("trun: expected {needed} bytes for {count} samples, got {got}"));
            }
            if per_sample == 0 {
                plain += u64::from(count);
            }
        }
    }
    // A sample has at least a byte.
    let most = MAX_PLAIN_SAMPLES.min(behind);
    (plain > most).then(|| format!("trun: expected at most {most} samples, as bytes follow, got {plain}"))
}

/// The children of a box by code and content, up to one that does not fit.
fn children(mut content: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (code, header, size) = sizes(content)?;
        let size = usize::try_from(size?).ok()?;
        let child = content.get(header..size)?;
        content = content.get(size..)?;
        Some((code, child))
    })
}

/// Code, bytes of the header and of the whole of the box that `bytes` begin with; the latter is
/// `None` where the box goes on to the end. `None` where this is no box.
fn sizes(bytes: &[u8]) -> Option<([u8; 4], usize, Option<u64>)> {
    let code = *bytes.get(4..8)?.first_chunk()?;
    let (header, size) = match u64::from(u32_at(bytes, 0)?) {
        0 => return Some((code, 8, None)),
        1 => (16, u64::from_be_bytes(*bytes.get(8..16)?.first_chunk()?)),
        size => (8, size),
    };
    (size >= header as u64).then_some((code, header, Some(size)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// A box of the file: its code, where its content begins and where it ends.
struct Header {
    code: [u8; 4],
    content: u64,
    end: u64,
}

impl Header {
    /// The box at `at`; `None` where there is none.
    fn read<S: Read + Seek>(source: &mut S, at: u64) -> io::Result<Option<Self>> {
        source.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity(16);
        source.take(16).read_to_end(&mut bytes)?;
        Ok(sizes(&bytes).map(|(code, header, size)| {
            let end = size.map_or(u64::MAX, |size| at.saturating_add(size));
            Self { code, content: at + header as u64, end }
        }))
    }
}

impl<S: MediaSource> Read for Checked<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.position < self.start {
            return self.read_skipped(buf);
        }
        if self.checked <= self.position {
            self.check_to_position()?;
        }
        // Short reads, so that the caller's wishes are looked at between two boxes.
        let most = self.checked.min(self.len).saturating_sub(self.position);
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(buf.len());
        let bytes = self.source.read(buf.get_mut(..most).unwrap_or_default())?;
        self.replace(buf.get_mut(..bytes).unwrap_or_default());
        self.position += bytes as u64;
        Ok(bytes)
    }
}

impl<S> Checked<'_, S> {
    /// Puts what is shown in place of the file's bytes into those read at the position.
    fn replace(&self, read: &mut [u8]) {
        for (start, bytes) in &self.replaced {
            let skip = self.position.saturating_sub(*start);
            let to = usize::try_from(start.saturating_sub(self.position)).unwrap_or(usize::MAX);
            let from = bytes.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
            read.iter_mut().skip(to).zip(from).for_each(|(read, shown)| *read = *shown);
        }
    }
}

impl<S: MediaSource> Checked<'_, S> {
    /// Reads what is in front of the boxes as one more box.
    fn read_skipped(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = u32::try_from(self.start).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut header = [0; 8];
        header[..4].copy_from_slice(&size.to_be_bytes());
        header[4..].copy_from_slice(b"free");
        let rest = (self.start - self.position).min(buf.len() as u64) as usize;
        let from = usize::try_from(self.position).unwrap_or(usize::MAX);
        let known = header.get(from..).unwrap_or_default().iter().copied().chain(std::iter::repeat(0));
        buf.iter_mut().take(rest).zip(known).for_each(|(byte, known)| *byte = known);
        self.position += rest as u64;
        self.source.seek(SeekFrom::Start(self.position))?;
        Ok(rest)
    }
}

impl<S: MediaSource> Seek for Checked<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.source.seek(to)?;
        Ok(self.position)
    }
}

impl<S: MediaSource> MediaSource for Checked<'_, S> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}
