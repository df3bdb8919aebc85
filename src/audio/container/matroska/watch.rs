//! What is said about the ends of the tracks of a Matroska file, found out while its bytes pass by:
//! for data that is heard while it comes. It owns a parser that is pushed forward, and goes to no
//! place by itself.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::{BLOCK, BLOCK_GROUP, CLUSTER, DISCARD_PADDING, SEGMENT, SIMPLE_BLOCK};
use crate::sync::Mutex;

/// Most bytes of an element that are looked at: its head, and a number.
const MAX_HEAD: usize = 24;

/// Most tracks whose ends are kept.
const MAX_TRACKS: usize = 64;

/// How much is to be discarded at the ends of the tracks, as far as the file was read. Clones are
/// the same.
#[derive(Clone, Default)]
pub(in crate::audio) struct EndPaddings {
    /// Whether this is a file whose blocks may have some.
    pub(in crate::audio) possible: bool,
    /// Nanoseconds to discard of the last block of each track, by its number.
    last: Arc<Mutex<Vec<(u64, i64)>>>,
}

impl EndPaddings {
    /// Those of a file whose blocks may have some.
    pub(super) fn possible() -> Self {
        Self { possible: true, ..Self::default() }
    }

    /// Seconds to discard of the last block of the track of number `track`.
    pub(in crate::audio) fn seconds(&self, track: u64) -> f64 {
        let last = self.last.lock();
        let padding_ns = last.iter().find(|(known, _)| *known == track).map_or(0, |(_, ns)| *ns);
        padding_ns.max(0) as f64 / 1e9
    }

    fn note(&self, track: u64, padding_ns: i64) {
        let mut last = self.last.lock();
        let has_room = last.len() < MAX_TRACKS;
        match last.iter_mut().find(|(known, _)| *known == track) {
            Some((_, last)) => *last = padding_ns,
            None if has_room => last.push((track, padding_ns)),
            None => {}
        }
    }
}

/// A reader whose bytes are looked at once, in their order.
pub(in crate::audio::container) struct Watch<R> {
    reader: R,
    position: u64,
    /// Up to where the bytes were looked at.
    seen: u64,
    parser: Parser,
}

impl<R> Watch<R> {
    /// Looks at what `reader` gives from `start` on.
    pub(in crate::audio::container) fn new(reader: R, start: u64) -> (Self, EndPaddings) {
        let ends = EndPaddings::possible();
        (Self { reader, position: 0, seen: start, parser: Parser::new(ends.clone()) }, ends)
    }
}

impl<R: Read> Read for Watch<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buf)?;
        let end = self.position + count as u64;
        // What is read once more was seen.
        if self.position <= self.seen && self.seen < end {
            let known = usize::try_from(self.seen - self.position).unwrap_or(usize::MAX);
            self.parser.push(buf.get(known..count).unwrap_or_default());
            self.seen = end;
        }
        self.position = end;
        Ok(count)
    }
}

impl<R: Seek> Seek for Watch<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.reader.seek(to)?;
        Ok(self.position)
    }
}

/// Takes a file apart as it comes.
#[derive(Default)]
pub(super) struct Parser {
    ends: EndPaddings,
    /// The beginning of the element at the place.
    head: Vec<u8>,
    /// Bytes until the next element.
    pub(super) skip: u64,
    /// Number of the block of the group, and its padding in nanoseconds.
    track: Option<u64>,
    padding_ns: i64,
    /// Whether this is no such file, or a damaged one.
    pub(super) lost: bool,
}

impl Parser {
    pub(super) fn new(ends: EndPaddings) -> Self {
        Self { ends, ..Self::default() }
    }

    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !self.lost && !bytes.is_empty() {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((byte, rest)) = bytes.split_first() else { break };
            self.head.push(*byte);
            bytes = rest;
            if self.element().is_some() {
                self.head.clear();
            } else if self.head.len() > MAX_HEAD {
                self.lost = true;
            }
        }
    }

    /// Takes in the element that `head` begins with; `None` where more of it is needed.
    fn element(&mut self) -> Option<()> {
        let id_bytes = self.head.first()?.leading_zeros() as usize + 1;
        let id_bytes = if id_bytes > 4 { self.lose() } else { Some(id_bytes) }?;
        let id = self.head.get(..id_bytes)?.iter().fold(0, |id, &byte| id << 8 | u32::from(byte));
        let (size, size_bytes) = number(self.head.get(id_bytes..)?)?;
        // All ones are no size.
        let size = Some(size).filter(|&size| size != (1 << (7 * size_bytes)) - 1);
        let content = self.head.get(id_bytes + size_bytes..)?;
        let needed = match id {
            SIMPLE_BLOCK | BLOCK => 8.min(size.unwrap_or(0)),
            DISCARD_PADDING => size.filter(|size| *size <= 8).unwrap_or(0),
            _ => 0,
        };
        if (content.len() as u64) < needed {
            return None;
        }
        match id {
            SEGMENT | CLUSTER => return Some(()),
            BLOCK_GROUP => {
                (self.track, self.padding_ns) = (None, 0);
                return Some(());
            }
            SIMPLE_BLOCK => {
                let (track, _) = number(content)?;
                self.ends.note(track, 0);
            }
            BLOCK => {
                let (track, _) = number(content)?;
                self.track = Some(track);
                self.ends.note(track, self.padding_ns);
            }
            DISCARD_PADDING => {
                let first = content.first().map_or(0, |&byte| i64::from(byte.cast_signed()));
                let number = content.iter().skip(1).fold(first, |number, &b| number << 8 | i64::from(b));
                self.padding_ns = number;
                if let Some(track) = self.track {
                    self.ends.note(track, number);
                }
            }
            _ => {}
        }
        let rest = size.map(|size| size.saturating_sub(content.len() as u64));
        self.skip = if rest.is_none() { self.lose() } else { rest }?;
        Some(())
    }

    /// Looks at nothing more.
    fn lose<T>(&mut self) -> Option<T> {
        self.lost = true;
        None
    }
}

/// The number of variable length that `bytes` begin with, and its bytes; `None` where there are
/// fewer.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let more = first.leading_zeros();
    if more > 7 {
        return None;
    }
    let count = more as usize + 1;
    let value = u64::from(first) & (0x7f >> more);
    let rest = bytes.get(1..count)?.iter();
    Some((rest.fold(value, |value, &byte| value << 8 | u64::from(byte)), count))
}
