//! What Matroska and WebM files say about the end of their tracks that the demuxer does not pass
//! on: how much of the last block to discard, which is the padding of its encoder
//! (`DiscardPadding`, RFC 9559, 5.1.3.5.7). It owns a small walk over the clusters, and reads no
//! audio.

use std::collections::VecDeque;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use crate::audio::leash::Leash;

/// What such files begin with.
pub(super) const MARK: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
/// Elements looked at before a walk gives up: a day of Opus without sizes has as many.
const MAX_ELEMENTS: u32 = 5_000_000;
/// Clusters at the end that are looked into: tracks may end before others do.
const MAX_CLUSTERS: usize = 64;
/// Most tracks whose ends are kept.
const MAX_TRACKS: usize = 64;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE_BLOCK: u32 = 0xa3;
const DISCARD_PADDING: u32 = 0x75a2;
/// Elements of a cluster have shorter identifiers than those that follow one.
const FIRST_OF_SEGMENT: u32 = 0x1000_0000;

/// Seconds to discard at the end of each track that has such, by its number, in the file at `start`
/// of `source`.
///
/// # Errors
/// What the source fails with, and where the caller of `leash` wants no more. Damage is none.
pub(super) fn end_paddings(
    source: &mut (impl Read + Seek),
    start: u64,
    leash: &Leash<'_>,
) -> io::Result<Vec<(u64, f64)>> {
    let end = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(start))?;
    let source = BufReader::new(source);
    let mut walk = Walk { source, at: start, leash, elements: 0, ends: Vec::new() };
    match walk.file(end) {
        Err(error) if !matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            Err(error)
        }
        _ => {
            let padded = walk.ends.iter().filter(|(_, padding_ns)| *padding_ns > 0);
            Ok(padded.map(|&(track, padding_ns)| (track, padding_ns as f64 * 1e-9)).collect())
        }
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
    /// Nanoseconds to discard of the last block of each track.
    ends: Vec<(u64, i64)>,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn file(&mut self, end: u64) -> io::Result<()> {
        let mut clusters = VecDeque::new();
        let found = self.clusters(end, &mut clusters);
        // Of a file that was cut off, the last block has no padding.
        for (start, end) in clusters {
            self.to(start)?;
            self.blocks(end)?;
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
    fn blocks(&mut self, end: u64) -> io::Result<()> {
        while self.at < end {
            let Element { id, end: Some(own_end) } = self.element()? else {
                return Err(ErrorKind::InvalidData.into());
            };
            match id {
                SIMPLE_BLOCK => {
                    let track = self.number()?;
                    self.note(track, 0);
                }
                BLOCK_GROUP => self.group(own_end.min(end))?,
                _ => {}
            }
            self.to(own_end)?;
        }
        Ok(())
    }

    fn group(&mut self, end: u64) -> io::Result<()> {
        let (mut track, mut padding_ns) = (None, 0);
        while self.at < end {
            let Element { id, end: Some(own_end) } = self.element()? else {
                return Err(ErrorKind::InvalidData.into());
            };
            match id {
                BLOCK => track = Some(self.number()?),
                DISCARD_PADDING => padding_ns = self.signed(own_end.saturating_sub(self.at))?,
                _ => {}
            }
            self.to(own_end)?;
        }
        if let Some(track) = track {
            self.note(track, padding_ns);
        }
        Ok(())
    }

    fn note(&mut self, track: u64, padding_ns: i64) {
        let has_room = self.ends.len() < MAX_TRACKS;
        match self.ends.iter_mut().find(|(known, _)| *known == track) {
            Some((_, last)) => *last = padding_ns,
            None if has_room => self.ends.push((track, padding_ns)),
            None => {}
        }
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

    /// Reads a signed number of `size` bytes.
    fn signed(&mut self, size: u64) -> io::Result<i64> {
        if !(1..=8).contains(&size) {
            return Ok(0);
        }
        let mut number = i64::from(self.byte()?.cast_signed());
        for _ in 1..size {
            number = number << 8 | i64::from(self.byte()?);
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

    fn found(bytes: &[u8]) -> Vec<(u64, f64)> {
        end_paddings(&mut Cursor::new(bytes), 0, &Leash::new(&Call::none())).unwrap()
    }

    #[test]
    fn the_padding_of_the_last_block_of_each_track_counts() {
        let first = [simple(1), group(2, Some(5_000_000)), group(1, Some(1_000_000))].concat();
        let last = [element(&[0xe7], &[3]), group(1, Some(13_500_000)), simple(3)].concat();
        let sized = file(&[element(&CLUSTER_ID, &first), element(&CLUSTER_ID, &last)]);
        let expected = [(1, 0.0135), (2, 0.005)];
        let same = |found: &[(u64, f64)]| {
            let close = |(a, b): (&(u64, f64), &(u64, f64))| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12;
            found.len() == expected.len() && found.iter().zip(&expected).all(close)
        };
        assert!(same(&found(&sized)), "{:?}", found(&sized));
        let live = |content: &[u8]| [&CLUSTER_ID[..], &UNKNOWN, content].concat();
        assert!(same(&found(&file(&[live(&first), live(&last)]))));
        // A block without padding behind it.
        let more = [last.clone(), simple(1)].concat();
        assert_eq!(found(&file(&[element(&CLUSTER_ID, &more)])), []);
        assert_eq!(found(&file(&[element(&CLUSTER_ID, &group(1, Some(-9_000_000)))])), []);
    }

    #[test]
    fn damage_is_no_error_and_the_caller_ends_the_walk() {
        let whole = file(&[element(&CLUSTER_ID, &group(1, Some(1_000_000)))]);
        for end in 0..whole.len() {
            found(&whole[..end]);
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                found(&damaged);
            }
        }
        let leash = Leash::new(&Call::none().with_deadline(Duration::ZERO));
        assert!(end_paddings(&mut Cursor::new(whole), 0, &leash).is_err());
    }
}
