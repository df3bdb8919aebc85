//! Streams of frames that announce themselves, one behind the other: MP3 and ADTS files, or what a
//! container holds of them. It owns the way from frame to frame: through junk and tags, over to a
//! stream of another rate that was joined on, to the end of the data. A stated length is no end.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::well_known::FORMAT_ID_MP3;
use symphonia::core::formats::{FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::{Packet, PacketBuilder};
use symphonia::core::units::{Duration, TimeBase, Timestamp};

use super::frame::{Frame, HEADER_BYTES, InfoTag, Kind, tag_bytes};
use super::skipped::Skipped;
use super::transport::Stamps;

/// Bytes that are looked at together. The four largest frames of ADTS are as long.
const WINDOW: usize = 64 * 1024;
/// Frames that must follow each other where a stream begins behind something else: fewer are in
/// noise.
const CONFIRMED: u32 = 4;
/// Bytes in front of the first frame that are searched.
const MAX_JUNK: u64 = (1 << 20) + WINDOW as u64;

const INFO: FormatInfo =
    FormatInfo { format: FORMAT_ID_MP3, short_name: "frames", long_name: "Frames of audio" };

/// A reader of frames.
pub(super) struct FrameReader<'s> {
    source: MediaSourceStream<'s>,
    /// Bytes read and not yet used, from `used` on.
    window: Vec<u8>,
    used: usize,
    /// Bytes of the stream in front of the window's unused ones, and those that it may still read.
    position: u64,
    left: u64,
    /// What the frames are at the moment.
    kind: Kind,
    /// Samples until the next frame.
    time: u64,
    /// Samples of all frames so far, and which of them are cut.
    frames: u64,
    cut: InfoTag,
    skipped: Skipped,
    /// Times of the container around the stream.
    stamps: Option<Stamps>,
    tracks: Vec<Track>,
    info: MediaInfo,
    metadata: MetadataLog,
}

impl<'s> FrameReader<'s> {
    /// Reads the bytes of `source` from `start` to `end`; `None` where there are no frames, and the
    /// source is for others. What is skipped is noted in `skipped`.
    pub(super) fn new(
        mut source: MediaSourceStream<'s>,
        start: u64,
        end: u64,
        skipped: Skipped,
        stamps: Option<Stamps>,
    ) -> io::Result<std::result::Result<Self, MediaSourceStream<'s>>> {
        if start > 0 {
            source.seek(SeekFrom::Start(start))?;
        }
        let kind = Kind::UNKNOWN;
        let mut reader = Self {
            source,
            window: Vec::new(),
            used: 0,
            position: 0,
            left: end.saturating_sub(start),
            kind,
            time: 0,
            frames: 0,
            cut: InfoTag::default(),
            skipped,
            stamps,
            tracks: Vec::new(),
            info: MediaInfo::new(),
            metadata: MetadataLog::default(),
        };
        let Some(first) = reader.first()? else {
            return Ok(Err(reader.source));
        };
        reader.follow(first.kind);
        // Behind junk, other players take no notice of the tag, and of its length where much more
        // follows, which was joined on: lengths are those that they show.
        let junk = reader.skipped.count() > 0;
        if let Some(mut tag) = reader.info_tag(first)?.filter(|_| !junk) {
            if tag.bytes.is_some_and(|bytes| end.saturating_sub(start) > bytes + bytes / 16) {
                tag.end = u64::MAX;
            }
            reader.cut = tag;
        }
        Ok(Ok(reader))
    }

    /// Goes to the first frame.
    fn first(&mut self) -> io::Result<Option<Frame>> {
        // A stream alone in its file needs less proof than one behind something else.
        if let Some(frame) = self.frame_here(2)? {
            return Ok(Some(frame));
        }
        self.search(MAX_JUNK)
    }

    /// Goes to the next place where frames follow each other, at most `most` bytes ahead.
    fn search(&mut self, most: u64) -> io::Result<Option<Frame>> {
        let mut junk = 0;
        let found = loop {
            if let Some(bytes) = self.tag()? {
                self.skip(bytes)?;
                continue;
            }
            if let Some(frame) = self.frame_here(CONFIRMED)? {
                break Some(frame);
            }
            if junk >= most || self.ahead(1)?.is_empty() {
                break None;
            }
            // On to the next byte that can begin a frame or a tag.
            let begins = |&byte: &u8| matches!(byte, 0xff | b'I' | b'T' | b'A');
            let rest = self.window.get(self.used + 1..).unwrap_or_default();
            let step = 1 + rest.iter().position(begins).unwrap_or(rest.len());
            junk += step as u64;
            self.consume(step);
        };
        if found.is_some() || self.time > 0 {
            self.skipped.add(junk);
        }
        Ok(found)
    }

    /// The frame at the place, where `count` frames follow each other, or fewer and the end.
    fn frame_here(&mut self, count: u32) -> io::Result<Option<Frame>> {
        let first = match Frame::parse(self.ahead(HEADER_BYTES)?) {
            Some(frame) => frame,
            None => return Ok(None),
        };
        let mut at = first.bytes;
        for seen in 1..count {
            let bytes = self.ahead(at + HEADER_BYTES)?;
            let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEADER_BYTES) else {
                // The data ends with these frames.
                return Ok((bytes.len() >= at && (count == 2 || seen > 1)).then_some(first));
            };
            if tag_bytes(rest).is_some() {
                return Ok((count == 2 || seen > 1).then_some(first));
            }
            match Frame::parse(rest) {
                Some(frame) if frame.kind == first.kind => at += frame.bytes,
                _ => return Ok(None),
            }
        }
        Ok(Some(first))
    }

    /// Bytes of the tag at the place.
    fn tag(&mut self) -> io::Result<Option<u64>> {
        self.ahead(32).map(tag_bytes)
    }

    /// The tag in the frame at the place, which is the stream's first; goes behind it.
    fn info_tag(&mut self, frame: Frame) -> io::Result<Option<InfoTag>> {
        let bytes = self.ahead(frame.bytes)?;
        let tag = bytes.get(..frame.bytes).and_then(|bytes| InfoTag::parse(bytes, frame.kind, frame.samples));
        if tag.is_some() {
            self.consume(frame.bytes);
        }
        Ok(tag)
    }

    /// Makes the track one of `kind`.
    fn follow(&mut self, kind: Kind) {
        self.kind = kind;
        (self.time, self.frames) = (0, 0);
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(kind.codec).with_sample_rate(kind.rate);
        if kind.channels > 0 {
            parameters.with_channels(Channels::Discrete(kind.channels));
        }
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(parameters));
        if let Some(time_base) = TimeBase::try_from_recip(kind.rate) {
            track.with_time_base(time_base);
        }
        self.tracks = vec![track];
    }

    /// The next `count` unused bytes, or more; fewer at the end.
    fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.window.len() - self.used < count && self.left > 0 {
            if self.used > 0 {
                self.window.drain(..self.used);
                self.used = 0;
            }
            let from = self.window.len();
            let most = u64::try_from(WINDOW.max(count) - from).unwrap_or(0).min(self.left);
            self.window.resize(from + usize::try_from(most).unwrap_or(0), 0);
            let read = self.source.read(self.window.get_mut(from..).unwrap_or_default());
            let read = match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                other => other,
            };
            let count = *read.as_ref().unwrap_or(&0);
            self.window.truncate(from + count);
            self.left = if count == 0 { 0 } else { self.left - count as u64 };
            read?;
        }
        Ok(self.window.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.window.len() - self.used);
        self.used += count;
        self.position += count as u64;
    }

    /// Goes `count` bytes ahead.
    fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let here = self.ahead(1)?.len();
            if here == 0 {
                break;
            }
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(here);
            self.consume(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// A packet of the frame at the place; goes behind it.
    fn packet(&mut self, frame: Frame) -> Option<Packet> {
        if let Some(stamps) = &self.stamps
            && let Some(time_s) = stamps.at(self.position)
        {
            self.time = (time_s * f64::from(frame.kind.rate)).round().max(0.0) as u64;
        }
        let end = (self.used + frame.bytes).min(self.window.len());
        let range = self.used + frame.header..end;
        let data = self.window.get(range)?.to_vec();
        self.consume(frame.bytes);
        let (from, to) = (self.frames, self.frames + frame.samples);
        self.frames = to;
        let start = self.cut.skip.clamp(from, to) - from;
        let end = to - self.cut.end.clamp(from + start, to);
        let rest = frame.samples - start;
        let pts = Timestamp::new(i64::try_from(self.time).unwrap_or(i64::MAX));
        self.time += frame.samples - end;
        let packet = PacketBuilder::new().track_id(0).pts(pts).dur(Duration::new(rest - end)).data(data);
        Some(packet.trim_start(Duration::new(start)).trim_end(Duration::new(end)).build())
    }

    /// The frame at the place or behind what is no frame; `None` at the end.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let bytes = self.ahead(HEADER_BYTES)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let frame = match Frame::parse(bytes).filter(|frame| frame.kind == self.kind) {
                Some(frame) => frame,
                None => match self.search(u64::MAX)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            // The last frame was cut off. One of MPEG audio is played nevertheless, as far as it
            // goes, as other players have it.
            if self.ahead(frame.bytes)?.len() < frame.bytes {
                return Ok(Some(frame).filter(|frame| frame.kind.codec != CODEC_ID_AAC));
            }
            // One that only describes a stream that was joined on.
            if self.info_tag(frame)?.is_none() {
                return Ok(Some(frame));
            }
        }
    }
}

impl FormatReader for FrameReader<'_> {
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
        let Some(frame) = self.next_frame()? else {
            return Ok(None);
        };
        if frame.kind != self.kind {
            self.follow(frame.kind);
            self.cut = InfoTag::default();
            return Err(Error::ResetRequired);
        }
        Ok(self.packet(frame))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.source
    }
}
