//! Files whose audio is one run of blocks of the same size: PCM samples, or blocks of a codec.
//! Their headers say where the run begins and what it holds; they are read in files of their own.
//! It owns the reader of such a run, which ends where the file does, whatever the header said.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::well_known::FORMAT_ID_WAVE;
use symphonia::core::formats::{FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, TimeBase, Timestamp};

use crate::audio::MAX_CHANNELS;

/// Bytes of a packet, as far as blocks are smaller.
const PACKET_BYTES: u64 = 16 * 1024;
/// Most bytes of a block.
const MAX_BLOCK_BYTES: u64 = 1 << 16;
/// Most frames of a block.
const MAX_BLOCK_FRAMES: u64 = 1 << 17;

const INFO: FormatInfo =
    FormatInfo { format: FORMAT_ID_WAVE, short_name: "blocks", long_name: "Blocks of audio" };

/// What a header says of a run of blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blocks {
    pub(super) codec: AudioCodecId,
    pub(super) rate: u32,
    pub(super) channels: u32,
    /// Bits of a sample that count, where the codec has more; the lower ones.
    pub(super) coded_bits: Option<u32>,
    pub(super) block_bytes: u64,
    pub(super) block_frames: u64,
    /// Where the run is in the file.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Frames to play, where the blocks hold more.
    pub(super) frames: Option<u64>,
}

impl Blocks {
    /// PCM samples of `sample_bytes` bytes each.
    pub(super) fn pcm(codec: AudioCodecId, rate: u32, channels: u32, sample_bytes: u64) -> Self {
        Self {
            codec,
            rate,
            channels,
            coded_bits: None,
            block_bytes: sample_bytes * u64::from(channels),
            block_frames: 1,
            start: 0,
            end: 0,
            frames: None,
        }
    }

    /// What is wrong with the numbers.
    pub(super) fn fault(&self) -> Option<String> {
        let channels = u32::from(MAX_CHANNELS);
        if !(1..=channels).contains(&self.channels) {
            return Some(format!("channel count: expected 1 to {channels}, got {}", self.channels));
        }
        if !(1..=MAX_BLOCK_BYTES).contains(&self.block_bytes) {
            return Some(format!("block: expected 1 to {MAX_BLOCK_BYTES} bytes, got {}", self.block_bytes));
        }
        if !(1..=MAX_BLOCK_FRAMES).contains(&self.block_frames) {
            return Some(format!(
                "block: expected 1 to {MAX_BLOCK_FRAMES} frames, got {}",
                self.block_frames
            ));
        }
        (self.rate == 0).then(|| "sample rate: expected 1000 to 768000 Hz, got 0 Hz".to_owned())
    }

    /// Seconds to play, where the blocks hold more.
    pub(super) fn length_s(&self) -> Option<f64> {
        let held = self.end.saturating_sub(self.start).div_ceil(self.block_bytes) * self.block_frames;
        self.frames.filter(|&frames| frames < held).map(|frames| frames as f64 / f64::from(self.rate))
    }
}

/// Bytes of `source` at `at`: `count`, or fewer at its end.
pub(super) fn bytes_at<S: Read + Seek>(source: &mut S, at: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    source.seek(SeekFrom::Start(at))?;
    source.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A reader of a run of blocks.
pub(super) struct BlockReader<'s> {
    source: MediaSourceStream<'s>,
    blocks: Blocks,
    packet_blocks: u64,
    position: u64,
    tracks: Vec<Track>,
    info: MediaInfo,
    metadata: MetadataLog,
}

impl<'s> BlockReader<'s> {
    /// Reads `blocks`, which have no fault, from `source`.
    pub(super) fn new(mut source: MediaSourceStream<'s>, blocks: Blocks) -> io::Result<Self> {
        source.seek(SeekFrom::Start(blocks.start))?;
        let packet_blocks = (PACKET_BYTES / blocks.block_bytes).max(1);
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(blocks.codec)
            .with_sample_rate(blocks.rate)
            .with_channels(Channels::Discrete(u16::try_from(blocks.channels).unwrap_or(u16::MAX)))
            .with_max_frames_per_packet(packet_blocks * blocks.block_frames)
            .with_frames_per_block(blocks.block_frames);
        if let Some(bits) = blocks.coded_bits {
            parameters.with_bits_per_coded_sample(bits);
        }
        let held = blocks.end.saturating_sub(blocks.start) / blocks.block_bytes * blocks.block_frames;
        let mut track = Track::new(0);
        track
            .with_codec_params(CodecParameters::Audio(parameters))
            .with_num_frames(blocks.frames.map_or(held, |frames| frames.min(held)));
        if let Some(time_base) = TimeBase::try_from_recip(blocks.rate) {
            track.with_time_base(time_base);
        }
        let info = MediaInfo::from_track(&track);
        let position = blocks.start;
        Ok(Self {
            source,
            blocks,
            packet_blocks,
            position,
            tracks: vec![track],
            info,
            metadata: MetadataLog::default(),
        })
    }

    /// Reads up to `bytes` bytes, fewer at the end.
    fn take(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut data = vec![0; usize::try_from(bytes).unwrap_or(0)];
        let mut filled = 0;
        while filled < data.len() {
            let rest = data.get_mut(filled..).unwrap_or_default();
            match self.source.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        data.truncate(filled);
        Ok(data)
    }
}

impl FormatReader for BlockReader<'_> {
    fn format_info(&self) -> &FormatInfo {
        &INFO
    }

    fn media_info(&self) -> &MediaInfo {
        &self.info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _mode: SeekMode, _to: SeekTo) -> Result<SeekedTo> {
        Err(Error::SeekError(SeekErrorKind::Unseekable))
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let Blocks { block_bytes, block_frames, start, end, .. } = self.blocks;
        let left = end.saturating_sub(self.position);
        let mut data = self.take(left.min(self.packet_blocks * block_bytes))?;
        let mut count = data.len() as u64 / block_bytes;
        // A codec's last block may be cut short; a frame of samples is all or nothing.
        if block_frames > 1 && count * block_bytes < data.len() as u64 {
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        data.resize(usize::try_from(count * block_bytes).unwrap_or(0), 0);
        let first = (self.position - start) / block_bytes * block_frames;
        self.position += count * block_bytes;
        let pts = Timestamp::new(i64::try_from(first).unwrap_or(i64::MAX));
        Ok(Some(Packet::new(0, pts, Duration::new(count * block_frames), data)))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.source
    }
}
