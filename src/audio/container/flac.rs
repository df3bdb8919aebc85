//! FLAC files whose metadata asks a demuxer for more work than its bytes are worth (RFC 9639,
//! section 8): it sorts a seek table entry by entry, and keeps every comment and picture. Nothing
//! here seeks or shows metadata, so the demuxer is shown padding in place of every block but the
//! stream's own description. It owns that mask.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

const MARKER: &[u8; 4] = b"fLaC";
/// The type of the block that describes the stream, and its size in bytes.
const STREAM_INFO: (u8, usize) = (0, 34);
const PADDING: u8 = 1;
/// The bit of a block's first byte that says that no more follow; the others are its type.
const LAST: u8 = 0x80;
/// Most metadata blocks; real files have up to a dozen.
const MAX_BLOCKS: usize = 1_000;

/// Where the metadata blocks to mask begin in a file that is FLAC from somewhere in the `within`
/// bytes behind `start` on: each at the byte that holds its type. `None` where there are too many
/// blocks.
pub(super) fn metadata<S: Read + Seek>(
    source: &mut S,
    start: u64,
    within: u64,
) -> io::Result<Option<Vec<u64>>> {
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(start))?;
    source.take(within).read_to_end(&mut head)?;
    let mut masked = Vec::new();
    let marker = head.windows(8).position(|window| {
        let (marker, block) = window.split_at(4);
        marker == MARKER && parse(block) == Some((STREAM_INFO.0, STREAM_INFO.1 as u64))
    });
    let Some(marker) = marker else {
        return Ok(Some(masked));
    };
    let mut at = start + marker as u64 + 4;
    for _ in 0..MAX_BLOCKS {
        let mut block = Vec::with_capacity(4);
        source.seek(SeekFrom::Start(at))?;
        source.take(4).read_to_end(&mut block)?;
        let (Some((kind, size)), Some(first)) = (parse(&block), block.first()) else {
            return Ok(Some(masked));
        };
        if kind != STREAM_INFO.0 && kind != PADDING {
            masked.push(at);
        }
        if first & LAST != 0 {
            return Ok(Some(masked));
        }
        at += 4 + size;
    }
    Ok(None)
}

/// Type and size of the block that begins with these bytes.
fn parse(block: &[u8]) -> Option<(u8, u64)> {
    let &[kind, size @ ..] = block.first_chunk::<4>()?;
    Some((kind & !LAST, size.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))))
}

/// A source in which metadata blocks are padding.
pub(super) struct Masked<S> {
    source: S,
    position: u64,
    /// Where the types of the blocks are, in ascending order.
    masked: Vec<u64>,
}

impl<S: MediaSource> Masked<S> {
    /// `source`, with padding in place of the blocks whose types are at `masked`.
    pub(super) fn new(source: S, masked: Vec<u64>) -> Self {
        Self { source, position: 0, masked }
    }
}

impl<S: Read> Read for Masked<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buf)?;
        let end = self.position + bytes as u64;
        let first = self.masked.partition_point(|&at| at < self.position);
        for at in self.masked.iter().skip(first).take_while(|&&at| at < end) {
            if let Some(byte) = buf.get_mut((at - self.position) as usize) {
                *byte = *byte & LAST | PADDING;
            }
        }
        self.position = end;
        Ok(bytes)
    }
}

impl<S: Seek> Seek for Masked<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.source.seek(to)?;
        Ok(self.position)
    }
}

impl<S: MediaSource> MediaSource for Masked<S> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A file with a stream description and blocks of these types and sizes.
    fn file(blocks: &[(u8, usize)]) -> Vec<u8> {
        let mut file = b"junkfLaC".to_vec();
        for &(kind, size) in std::iter::once(&STREAM_INFO).chain(blocks) {
            file.push(kind);
            file.extend(&(size as u32).to_be_bytes()[1..]);
            file.resize(file.len() + size, 3);
        }
        file
    }

    #[test]
    fn all_blocks_but_the_streams_own_are_padding_wherever_reads_are_split() {
        let bytes = file(&[(3, 5), (1, 0), (4 | LAST, 7)]);
        let masked = metadata(&mut Cursor::new(&bytes), 0, 1000).unwrap().unwrap();
        assert_eq!(masked, [46, 59]);
        let mut expected = bytes.clone();
        (expected[46], expected[59]) = (PADDING, PADDING | LAST);
        for step in [1, 7, 1000] {
            let mut source = Masked::new(Cursor::new(bytes.clone()), masked.clone());
            let mut read: Vec<u8> = Vec::new();
            loop {
                let mut buf = vec![0; step];
                let count = source.read(&mut buf).unwrap();
                if count == 0 {
                    break;
                }
                read.extend(&buf[..count]);
            }
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_file_that_goes_on_with_blocks_is_refused_and_another_is_left_alone() {
        let endless = file(&[(2, 0); MAX_BLOCKS + 1]);
        assert!(metadata(&mut Cursor::new(endless), 0, 1000).unwrap().is_none());
        let cut = file(&[(2, 50)]);
        assert_eq!(metadata(&mut Cursor::new(&cut[..60]), 0, 1000).unwrap().unwrap(), [46]);
        assert!(metadata(&mut Cursor::new(b"RIFF fLaC data"), 0, 1000).unwrap().unwrap().is_empty());
    }
}
