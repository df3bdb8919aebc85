//! What Matroska and WebM files say about the end of their tracks that the demuxer does not pass
//! on: how much of the last block to discard, which is the padding of its encoder
//! (`DiscardPadding`, RFC 9559, 5.1.3.5.7). It owns a small walk over the clusters, and reads no
//! audio.

mod watch;

use std::collections::VecDeque;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

pub(in crate::audio) use self::watch::EndPaddings;
use self::watch::Parser;
pub(super) use self::watch::Watch;
use crate::audio::leash::Leash;

/// What such files begin with.
pub(super) const MARK: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
/// Elements looked at before a walk gives up: a day of Opus without sizes has as many.
const MAX_ELEMENTS: u32 = 5_000_000;
/// Clusters at the end that are looked into: tracks may end before others do.
const MAX_CLUSTERS: usize = 64;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE_BLOCK: u32 = 0xa3;
const DISCARD_PADDING: u32 = 0x75a2;
/// Elements of a cluster have shorter identifiers than those that follow one.
const FIRST_OF_SEGMENT: u32 = 0x1000_0000;

/// How much is to be discarded at the ends of the tracks in the file at `start` of `source`.
///
/// # Errors
/// What the source fails with, and where the caller of `leash` wants no more. Damage is none.
pub(super) fn end_paddings(
    source: &mut (impl Read + Seek),
    start: u64,
    leash: &Leash<'_>,
) -> io::Result<EndPaddings> {
    let end = source.seek(SeekFrom::End(0))?;
    let mut walk = Walk::new(source, start, leash)?;
    let ends = EndPaddings::possible();
    walk.file(end, &ends).or_else(harmless)?;
    Ok(ends)
}

/// Where the file at `start` of `source` says that it ends; beyond its end where it was cut off.
///
/// # Errors
/// As [`end_paddings`].
pub(super) fn declared_end(
    source: &mut (impl Read + Seek),
    start: u64,
    leash: &Leash<'_>,
) -> io::Result<Option<u64>> {
    let mut walk = Walk::new(source, start, leash)?;
    walk.segment_end().or_else(|error| harmless(error).map(|()| None))
}

/// Damage is no error here.
fn harmless(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Ok(()),
        _ => Err(error),
    }
}

/// An element: its identifier and where its content ends; `None` where that is not said.
struct Element {
    id: u32,
    end: Option<u64>,
}

struct Walk<'a, R> {
    source: BufReader<R>,
    at: u64,
    leash: &'a Leash<'a>,
    elements: u32,
}

impl<'a, R: Read + Seek> Walk<'a, R> {
    fn new(mut source: R, start: u64, leash: &'a Leash<'a>) -> io::Result<Self> {
        source.seek(SeekFrom::Start(start))?;
        Ok(Self { source: BufReader::new(source), at: start, leash, elements: 0 })
    }

    fn segment_end(&mut self) -> io::Result<Option<u64>> {
        loop {
            match self.element()? {
                Element { id: SEGMENT, end } => return Ok(end),
                Element { end: Some(end), .. } => self.to(end)?,
                Element { end: None, .. } => return Ok(None),
            }
        }
    }

    fn file(&mut self, end: u64, ends: &EndPaddings) -> io::Result<()> {
        let mut clusters = VecDeque::new();
        let found = self.clusters(end, &mut clusters);
        // Of a file that was cut off, the last block has no padding.
        for (start, end) in clusters {
            self.to(start)?;
            self.blocks(end, ends)?;
        }
        found
    }

    /// Where the content of the last clusters starts and ends.
    fn clusters(&mut self, end: u64, clusters: &mut VecDeque<(u64, u64)>) -> io::Result<()> {
        while self.at < end {
            let element = self.element()?;
            match (element.id, element.end) {
                // Its elements follow.
                (SEGMENT, _) => {}
                (CLUSTER, known) => {
                    let start = self.at;
                    match known {
                        Some(end) => self.to(end)?,
                        None => self.over_cluster(end)?,
                    }
                    if clusters.len() == MAX_CLUSTERS {
                        clusters.pop_front();
                    }
                    clusters.push_back((start, self.at.min(end)));
                }
                (_, Some(end)) => self.to(end)?,
                (_, None) => return Err(ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }

    /// Goes to the end of a cluster that does not say where it is.
    fn over_cluster(&mut self, end: u64) -> io::Result<()> {
        while self.at < end {
            let before = self.at;
            match self.element()? {
                Element { id: FIRST_OF_SEGMENT.., .. } => return self.to(before),
                Element { end: Some(end), .. } => self.to(end)?,
                Element { end: None, .. } => return Err(ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }

    /// Notes the blocks up to `end`.
    fn blocks(&mut self, end: u64, ends: &EndPaddings) -> io::Result<()> {
        let mut parser = Parser::new(ends.clone());
        while self.at < end && !parser.lost {
            match std::mem::take(&mut parser.skip) {
                0 => parser.push(&[self.byte()?]),
                skip => {
                    self.leash.look_or_end()?;
                    self.to(self.at.saturating_add(skip))?;
                }
            }
        }
        Ok(())
    }

    /// Reads the head of the element here.
    fn element(&mut self) -> io::Result<Element> {
        self.leash.look_or_end()?;
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(ErrorKind::InvalidData.into());
        }
        let first = self.byte()?;
        let more = first.leading_zeros();
        if more > 3 {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut id = u32::from(first);
        for _ in 0..more {
            id = id << 8 | u32::from(self.byte()?);
        }
        let before = self.at;
        let size = self.number()?;
        // All ones are no size.
        let unknown = (1 << (7 * (self.at - before))) - 1;
        let end = (size != unknown).then(|| self.at.saturating_add(size));
        Ok(Element { id, end })
    }

    /// Reads a number of variable length.
    fn number(&mut self) -> io::Result<u64> {
        let first = self.byte()?;
        let more = first.leading_zeros();
        if more > 7 {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut number = u64::from(first) & (0x7f >> more);
        for _ in 0..more {
            number = number << 8 | u64::from(self.byte()?);
        }
        Ok(number)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.source.read_exact(&mut byte)?;
        self.at += 1;
        Ok(byte[0])
    }

    fn to(&mut self, position: u64) -> io::Result<()> {
        let forward = position.checked_sub(self.at).and_then(|bytes| i64::try_from(bytes).ok());
        match forward {
            Some(bytes) => self.source.seek_relative(bytes)?,
            None => {
                self.source.seek(SeekFrom::Start(position))?;
            }
        }
        self.at = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;
    use crate::call::Call;

    /// An element of less than 127 bytes.
    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x80 | content.len() as u8], content].concat()
    }

    fn group(track: u8, padding_ns: Option<i32>) -> Vec<u8> {
        let block = element(&[0xa1], &[0x80 | track, 0, 0, 0, 7, 7]);
        let padding = padding_ns.map(|ns| element(&[0x75, 0xa2], &ns.to_be_bytes())).unwrap_or_default();
        element(&[0xa0], &[block, padding].concat())
    }

    fn simple(track: u8) -> Vec<u8> {
        element(&[0xa3], &[0x80 | track, 0, 0, 0x80, 9])
    }

    const UNKNOWN: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    const CLUSTER_ID: [u8; 4] = CLUSTER.to_be_bytes();

    fn file(clusters: &[Vec<u8>]) -> Vec<u8> {
        let cues = element(&[0x1c, 0x53, 0xbb, 0x6b], &[1, 2, 3]);
        let head = [&element(&MARK, &[0; 9])[..], &SEGMENT.to_be_bytes(), &UNKNOWN].concat();
        [head, clusters.concat(), cues].concat()
    }

    /// What is found in `bytes` of the first three tracks, when the file is there and when it
    /// comes.
    fn found(bytes: &[u8]) -> Vec<f64> {
        let leash = Leash::new(&Call::none());
        let there = end_paddings(&mut Cursor::new(bytes), 0, &leash).unwrap();
        let (mut watch, coming) = Watch::new(Cursor::new(bytes), 0);
        // Its head is read more than once.
        watch.read_exact(&mut [0; 20]).unwrap_or_default();
        watch.rewind().unwrap();
        io::copy(&mut watch, &mut io::sink()).unwrap();
        let seconds = |ends: EndPaddings| [1, 2, 3].map(|track| ends.seconds(track)).to_vec();
        let (there, coming) = (seconds(there), seconds(coming));
        assert_eq!(there, coming);
        there
    }

    #[test]
    fn the_padding_of_the_last_block_of_each_track_counts() {
        let first = [simple(1), group(2, Some(5_000_000)), group(1, Some(1_000_000))].concat();
        let last = [element(&[0xe7], &[3]), group(1, Some(13_500_000)), simple(3)].concat();
        let sized = file(&[element(&CLUSTER_ID, &first), element(&CLUSTER_ID, &last)]);
        assert_eq!(found(&sized), [0.0135, 0.005, 0.0]);
        let live = |content: &[u8]| [&CLUSTER_ID[..], &UNKNOWN, content].concat();
        assert_eq!(found(&file(&[live(&first), live(&last)])), [0.0135, 0.005, 0.0]);
        // A block without padding behind it.
        let more = [last.clone(), simple(1)].concat();
        assert_eq!(found(&file(&[element(&CLUSTER_ID, &more)])), [0.0; 3]);
        assert_eq!(found(&file(&[element(&CLUSTER_ID, &group(1, Some(-9_000_000)))])), [0.0; 3]);
    }

    #[test]
    fn the_end_is_where_the_file_says() {
        let leash = Leash::new(&Call::none());
        let end = |bytes: &[u8]| declared_end(&mut Cursor::new(bytes), 0, &leash).unwrap();
        let sized = [&element(&MARK, &[0; 9])[..], &SEGMENT.to_be_bytes(), &[0x40, 0xff], &[0; 9]].concat();
        assert_eq!(end(&sized), Some(20 + 255));
        assert_eq!(end(&file(&[])), None);
    }

    #[test]
    fn damage_is_no_error_and_the_caller_ends_the_walk() {
        let whole = file(&[element(&CLUSTER_ID, &group(1, Some(1_000_000)))]);
        let walk = |bytes: &[u8]| {
            let leash = Leash::new(&Call::none());
            end_paddings(&mut Cursor::new(bytes), 0, &leash).unwrap();
            declared_end(&mut Cursor::new(bytes), 0, &leash).unwrap();
            let (mut watch, _) = Watch::new(Cursor::new(bytes), 0);
            io::copy(&mut watch, &mut io::sink()).unwrap();
        };
        for end in 0..whole.len() {
            walk(&whole[..end]);
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                walk(&damaged);
            }
        }
        let leash = Leash::new(&Call::none().with_deadline(Duration::ZERO));
        assert!(end_paddings(&mut Cursor::new(whole), 0, &leash).is_err());
    }
}
