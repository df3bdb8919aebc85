//! MPEG transport streams (ISO/IEC 13818-1): the audio stream in one as if it were a file of
//! frames. It owns the choice of the stream, and the times that its packets carry.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use symphonia::core::io::MediaSource;

use super::blocks::bytes_at;
use crate::sync::Mutex;

/// Bytes of a packet without what recorders put in front (M2TS) or behind (forward error
/// correction).
const PACKET: usize = 188;
/// Packets that must begin where they should.
const CONFIRMED: usize = 5;
/// Bytes in which the streams are looked for.
const MAX_LOOK: u64 = 8 << 20;
/// Ticks of a time stamp in a second, and their number before they begin anew.
const TICKS: f64 = 90_000.0;
const WRAP: i64 = 1 << 33;

/// Where packets are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Grid {
    first: u64,
    step: u64,
}

/// The audio stream of a transport stream.
#[derive(Debug)]
pub(super) struct Stream {
    grid: Grid,
    pid: u16,
    /// Number of streams that can be decoded.
    pub(super) tracks: usize,
    /// Seconds from the beginning of all streams to that of the audio.
    pub(super) late_s: f64,
}

/// What a transport stream holds.
#[derive(Debug)]
pub(super) enum Transport {
    Stream(Stream),
    /// Audio of a kind that cannot be decoded, or none.
    Unsupported(String),
}

/// The transport stream at `start` of `source`, with its audio stream of number `track`, the first
/// if that is not said; `None` where it is none.
pub(super) fn inspect<S: Read + Seek>(
    source: &mut S,
    start: u64,
    track: Option<u16>,
) -> io::Result<Option<Transport>> {
    let Some(grid) = grid(source, start)? else {
        return Ok(None);
    };
    let mut tables = Tables::default();
    source.seek(SeekFrom::Start(grid.first))?;
    let mut look = io::BufReader::new(source.take(MAX_LOOK));
    let mut step = vec![0; grid.step as usize];
    while !tables.is_complete() && look.read_exact(&mut step).is_ok() {
        if let Some(packet) = step.first_chunk().and_then(Packet::parse) {
            tables.take(&packet);
        }
    }
    Ok(Some(match tables.audio(track.unwrap_or(0)) {
        Ok((pid, late_s)) => {
            Transport::Stream(Stream { grid, pid, tracks: tables.decodable().count(), late_s })
        }
        Err(what) => Transport::Unsupported(what),
    }))
}

/// Where the packets are in a file that is a transport stream.
fn grid<S: Read + Seek>(source: &mut S, start: u64) -> io::Result<Option<Grid>> {
    let head = bytes_at(source, start, 204 * (CONFIRMED + 1))?;
    for step in [PACKET, 192, 204] {
        for first in 0..step {
            let marks = head.iter().skip(first).step_by(step).take(CONFIRMED);
            let marks: Vec<u8> = marks.copied().collect();
            if marks.len() == CONFIRMED && marks.iter().all(|&mark| mark == 0x47) {
                return Ok(Some(Grid { first: start + first as u64, step: step as u64 }));
            }
        }
    }
    Ok(None)
}

/// A packet.
struct Packet<'a> {
    pid: u16,
    /// Whether a table or a piece of a stream begins in it.
    begins: bool,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn parse(bytes: &'a [u8; PACKET]) -> Option<Self> {
        let &[mark, second, third, fourth, fifth, ..] = bytes;
        // Errors that the receiver noticed, and scrambled payloads, are no audio.
        if mark != 0x47 || second & 0x80 != 0 || fourth & 0xc0 != 0 || fourth & 0x10 == 0 {
            return None;
        }
        let from = if fourth & 0x20 != 0 { 5 + usize::from(fifth) } else { 4 };
        let pid = u16::from_be_bytes([second & 0x1f, third]);
        Some(Self { pid, begins: second & 0x40 != 0, payload: bytes.get(from..)? })
    }
}

/// The time stamp and the content of a piece of a stream that begins with `payload`.
fn piece(payload: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let &[0, 0, 1, _, _, _, _, flags, header, ..] = payload else {
        return None;
    };
    let content = payload.get(9 + usize::from(header)..)?;
    let stamp = payload.get(9..14).filter(|_| flags & 0x80 != 0).and_then(|stamp| {
        let &[a, b, c, d, e] = stamp else { return None };
        let high = i64::from(a >> 1 & 7) << 30;
        Some(high | i64::from(b) << 22 | i64::from(c >> 1) << 15 | i64::from(d) << 7 | i64::from(e >> 1))
    });
    Some((stamp, content))
}

/// The streams of the first program.
#[derive(Default)]
struct Tables {
    program: Option<u16>,
    /// Identifier, type, and whether descriptors name audio of a kind.
    streams: Vec<(u16, u8, Option<&'static str>)>,
    first_stamps: Vec<(u16, i64)>,
}

impl Tables {
    fn is_complete(&self) -> bool {
        !self.streams.is_empty()
            && self.streams.iter().all(|(pid, ..)| self.first_stamps.iter().any(|(known, _)| known == pid))
    }

    fn take(&mut self, packet: &Packet<'_>) {
        if !packet.begins {
            return;
        }
        if let Some((Some(stamp), _)) = piece(packet.payload)
            && !self.first_stamps.iter().any(|(pid, _)| *pid == packet.pid)
            && self.first_stamps.len() < 64
        {
            self.first_stamps.push((packet.pid, stamp));
        }
        let table = packet.payload.first().and_then(|&skip| packet.payload.get(1 + usize::from(skip)..));
        match table {
            Some(&[0, _, _, _, _, _, _, _, ref programs @ ..])
                if packet.pid == 0 && self.program.is_none() =>
            {
                let program = programs.chunks_exact(4).find(|entry| !entry.starts_with(&[0, 0]));
                self.program = program.and_then(|entry| identifier(entry.get(2..)?));
            }
            Some(table) if Some(packet.pid) == self.program && self.streams.is_empty() => {
                self.streams = streams(table).unwrap_or_default();
            }
            _ => {}
        }
    }

    /// The identifiers of the streams that can be decoded.
    fn decodable(&self) -> impl Iterator<Item = u16> {
        let audio = self.streams.iter().filter(|(_, kind, _)| matches!(kind, 0x03 | 0x04 | 0x0f));
        audio.map(|(pid, ..)| *pid)
    }

    /// The stream to decode, and by how many seconds it begins later than others.
    fn audio(&self, track: u16) -> Result<(u16, f64), String> {
        let stamp_of =
            |pid: u16| self.first_stamps.iter().find(|(known, _)| *known == pid).map(|(_, stamp)| *stamp);
        let Some(pid) = self.decodable().nth(usize::from(track)) else {
            let other = self.streams.iter().find_map(|(_, kind, named)| name(*kind).or(*named));
            return Err(match other {
                Some(name) => format!("an MPEG transport stream with {name}"),
                None => "an MPEG transport stream without audio of MPEG or AAC".to_owned(),
            });
        };
        let Some(own) = stamp_of(pid) else {
            return Ok((pid, 0.0));
        };
        let later = self.streams.iter().filter_map(|(pid, ..)| stamp_of(*pid)).map(|other| since(own, other));
        Ok((pid, later.max().unwrap_or(0).max(0) as f64 / TICKS))
    }
}

fn identifier(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().copied().map(|bytes| u16::from_be_bytes(bytes) & 0x1fff)
}

/// The streams that the table of a program lists.
fn streams(table: &[u8]) -> Option<Vec<(u16, u8, Option<&'static str>)>> {
    let &[2, high, low, ..] = table else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high & 0x0f, low]));
    // The checksum ends the table, which may go on in other packets.
    let table = table.get(..(3 + length).saturating_sub(4).min(table.len()))?;
    let skip = usize::from(identifier(table.get(10..)?)? & 0x0fff);
    let mut rest = table.get(12 + skip..)?;
    let mut streams = Vec::new();
    while let &[kind, a, b, c, d, ..] = rest {
        let size = usize::from(u16::from_be_bytes([c & 0x0f, d]));
        let descriptors = rest.get(5..5 + size).unwrap_or_default();
        streams.push((u16::from_be_bytes([a & 0x1f, b]), kind, described(descriptors)));
        rest = rest.get(5 + size..).unwrap_or_default();
    }
    Some(streams)
}

/// The audio that the descriptors of a private stream name.
fn described(mut descriptors: &[u8]) -> Option<&'static str> {
    while let &[tag, size, ..] = descriptors {
        let content = descriptors.get(2..2 + usize::from(size))?;
        match (tag, content) {
            (0x6a, _) => return Some("Dolby AC-3"),
            (0x7a, _) => return Some("Dolby E-AC-3"),
            (0x7b, _) => return Some("DTS"),
            (0x05, [b'O', b'p', b'u', b's', ..]) => return Some("Opus"),
            (0x05, [b'A', b'C', b'-', b'3', ..]) => return Some("Dolby AC-3"),
            _ => {}
        }
        descriptors = descriptors.get(2 + usize::from(size)..)?;
    }
    None
}

/// Types of audio streams that have no decoder.
fn name(kind: u8) -> Option<&'static str> {
    match kind {
        0x11 => Some("AAC in LATM"),
        0x81 => Some("Dolby AC-3"),
        0x82 | 0x85 | 0x86 => Some("DTS"),
        0x87 => Some("Dolby E-AC-3"),
        0x83 => Some("Dolby TrueHD"),
        _ => None,
    }
}

/// Ticks from `other` to `stamp`, which begin anew after 26 hours.
fn since(stamp: i64, other: i64) -> i64 {
    let ahead = (stamp - other).rem_euclid(WRAP);
    if ahead > WRAP / 2 { ahead - WRAP } else { ahead }
}

/// The times of pieces of a stream: where each begins in it, and when, in seconds from the first.
/// Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Stamps(Arc<Mutex<VecDeque<(u64, f64)>>>);

impl Stamps {
    /// The time of the last piece that begins at `position` of the stream or before it, once: it is
    /// that of the first frame that begins in it.
    pub(super) fn at(&self, position: u64) -> Option<f64> {
        let mut stamps = self.0.lock();
        let mut time_s = None;
        while let Some((_, stamp_s)) = stamps.front().copied().filter(|(at, _)| *at <= position) {
            time_s = Some(stamp_s);
            stamps.pop_front();
        }
        time_s
    }
}

/// The bytes of a stream.
pub(super) struct StreamSource<S> {
    source: S,
    pid: u16,
    step: Vec<u8>,
    /// Content of the last packet, and how much of it was read.
    content: Vec<u8>,
    read: usize,
    /// Bytes of the stream so far, the content included.
    position: u64,
    stamps: Stamps,
    /// The last stamp, and the time since the first.
    last: Option<(i64, i64)>,
}

impl<S: Read + Seek> StreamSource<S> {
    /// The bytes of `stream` in `source`, and their times.
    pub(super) fn new(mut source: S, stream: &Stream) -> io::Result<(Self, Stamps)> {
        source.seek(SeekFrom::Start(stream.grid.first))?;
        let stamps = Stamps::default();
        let own = Self {
            source,
            pid: stream.pid,
            step: vec![0; stream.grid.step as usize],
            content: Vec::new(),
            read: 0,
            position: 0,
            stamps: stamps.clone(),
            last: None,
        };
        Ok((own, stamps))
    }

    /// Reads on to the next packet of the stream; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.content.clear();
        self.read = 0;
        while self.content.is_empty() {
            if !self.next_step()? {
                return Ok(false);
            }
            let packet =
                self.step.first_chunk().and_then(Packet::parse).filter(|packet| packet.pid == self.pid);
            let Some(packet) = packet else { continue };
            let (stamp, content) = match piece(packet.payload).filter(|_| packet.begins) {
                Some(found) => found,
                None => (None, packet.payload),
            };
            self.content.extend_from_slice(content);
            if let Some(stamp) = stamp {
                self.note(stamp);
            }
        }
        self.position += self.content.len() as u64;
        Ok(true)
    }

    fn note(&mut self, stamp: i64) {
        let (last, passed) = self.last.unwrap_or((stamp, 0));
        let passed = passed + since(stamp, last);
        self.last = Some((stamp, passed));
        self.stamps.0.lock().push_back((self.position, passed as f64 / TICKS));
    }

    /// Reads the next packet, which may not be where it should: bytes were lost or put in between.
    /// False at the end.
    fn next_step(&mut self) -> io::Result<bool> {
        let mut kept = 0;
        loop {
            match self.source.read_exact(self.step.get_mut(kept..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                other => other?,
            }
            match self.step.iter().position(|&byte| byte == 0x47) {
                Some(0) => return Ok(true),
                Some(at) => {
                    self.step.rotate_left(at);
                    kept = self.step.len() - at;
                }
                None => kept = 0,
            }
        }
    }
}

impl<S: Read + Seek> Read for StreamSource<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.content.len() && !self.advance()? {
            return Ok(0);
        }
        let rest = self.content.get(self.read..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(rest) {
            *to = *from;
        }
        self.read += count;
        Ok(count)
    }
}

impl<S> Seek for StreamSource<S> {
    fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for StreamSource<S> {
    fn is_seekable(&self) -> bool {
        false
    }

    fn byte_len(&self) -> Option<u64> {
        None
    }
}
