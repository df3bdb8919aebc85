//! The demuxer of a file, by what the file is: each kind has its own way to it, and its own checks
//! in front of it.

use std::io::{Seek, SeekFrom};
use std::sync::LazyLock;

use symphonia::core::common::Limit;
use symphonia::core::errors::Error as DecoderError;
use symphonia::core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::formats;

use super::blocks::BlockReader;
use super::caf;
use super::flac::{self, Masked};
use super::fragments::{self, Checked};
use super::frames::FrameReader;
use super::header::{self, Header};
use super::matroska::{self, EndPaddings, Watch};
use super::mp4::{self, Mp4};
use super::padded::Padded;
use super::skipped::Skipped;
use super::transport::{self, StreamSource, Transport};
use super::{CONVERT, head, sniff};
use crate::audio::input::Bytes;
use crate::audio::leash::{Leash, Leashed};

/// Bytes searched for the start of a format.
const PROBE_DEPTH: u32 = 64 * 1024;

/// The formats that are left to a probe: those with demuxers of their own are not among them.
static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new_with_options(&probe_options());
    probe.register_format::<formats::FlacReader<'_>>();
    probe.register_format::<formats::OggReader<'_>>();
    probe.register_format::<formats::CafReader<'_>>();
    probe.register_format::<formats::MkvReader<'_>>();
    probe
});

/// The formats of data that is still to come.
static LIVE_PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new_with_options(&probe_options());
    probe.register_format::<formats::AdtsReader<'_>>();
    probe.register_format::<formats::FlacReader<'_>>();
    probe.register_format::<formats::MpaReader<'_>>();
    probe.register_format::<formats::WavReader<'_>>();
    probe.register_format::<formats::OggReader<'_>>();
    probe.register_format::<formats::MkvReader<'_>>();
    probe
});

/// MP4, whose demuxer is trusted with checked boxes alone.
static MP4_PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new_with_options(&probe_options());
    probe.register_format::<formats::IsoMp4Reader<'_>>();
    probe
});

fn probe_options() -> ProbeOptions {
    ProbeOptions { max_probe_depth: PROBE_DEPTH, ..ProbeOptions::default() }
}

/// A demuxer and what the file says beside it.
pub(super) struct Opened<'a> {
    pub(super) format: Box<dyn FormatReader + 'a>,
    /// What the boxes of an MP4 file say.
    pub(super) mp4: Mp4,
    /// Number of audio tracks, where `format` has but one of them.
    pub(super) stream_tracks: Option<usize>,
    /// Seconds of the only track to play, where its blocks hold more.
    pub(super) length_s: Option<f64>,
    /// Seconds by which the only audio track begins later than the file.
    pub(super) late_s: f64,
    /// How much is to be discarded at the ends of tracks.
    pub(super) paddings: EndPaddings,
    /// Whether another file stands behind this one.
    pub(super) is_followed: bool,
}

impl<'a> Opened<'a> {
    fn new(format: impl FormatReader + 'a) -> Self {
        Self::boxed(Box::new(format))
    }

    fn boxed(format: Box<dyn FormatReader + 'a>) -> Self {
        Self {
            format,
            mp4: Mp4::default(),
            stream_tracks: None,
            length_s: None,
            late_s: 0.0,
            paddings: EndPaddings::default(),
            is_followed: false,
        }
    }
}

/// Why a demuxer does not open a file.
pub(super) enum Unopened {
    Io(std::io::Error),
    /// What the file is, as words behind "got".
    Got(String),
}

impl From<std::io::Error> for Unopened {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            return Self::Got("a file that ends within its header".to_owned());
        }
        Self::Io(error)
    }
}

impl From<DecoderError> for Unopened {
    fn from(error: DecoderError) -> Self {
        match error {
            DecoderError::IoError(error) => Self::from(error),
            error => Self::Got(format!("data that cannot be read as any of them ({error}); {CONVERT}")),
        }
    }
}

type Opening<'a> = std::result::Result<Opened<'a>, Unopened>;

/// The demuxer of `file`, whose audio begins at `start`, and which has `bytes` bytes in all; of a
/// file whose demuxer has but one audio track, it is that of number `track`.
pub(super) fn open<'a>(
    mut file: Box<dyn Bytes + 'a>,
    start: u64,
    bytes: u64,
    track: Option<u16>,
    leash: &Leash<'a>,
    skipped: &Skipped,
) -> Opening<'a> {
    if let Some(header) = header::read(&mut file, start, bytes)? {
        return with_header(file, bytes, header, leash, skipped);
    }
    if let Some(transport) = transport::inspect(&mut file, start, track)? {
        return with_transport(file, bytes, transport, leash, skipped);
    }
    other(file, start, bytes, leash, skipped)
}

/// The demuxer of data that is still to come, whose audio begins at `start`.
pub(super) fn live<'a>(mut file: Box<dyn Bytes + 'a>, start: u64, leash: &Leash<'a>) -> Opening<'a> {
    // It is not kept waiting for more than a format begins with.
    let masked = flac::metadata(&mut file, start, sniff::HEAD_LEN as u64)?.unwrap_or_default();
    let is_matroska = head(&mut file, start)?.starts_with(&matroska::MARK);
    file.rewind()?;
    let (watch, mut paddings) = Watch::new(file, start);
    paddings.possible = is_matroska;
    let mut source = stream(Leashed::new(Masked::new(Padded::new(watch, None), masked), leash.clone()));
    source.seek(SeekFrom::Start(start))?;
    let format = LIVE_PROBE.probe(&Hint::new(), source, FormatOptions::default(), limits())?;
    Ok(Opened { paddings, ..Opened::boxed(format) })
}

fn stream<'a>(source: impl MediaSource + 'a) -> MediaSourceStream<'a> {
    MediaSourceStream::new(Box::new(source), Default::default())
}

/// Opens a file with a header of fixed form.
fn with_header<'a>(
    mut file: Box<dyn Bytes + 'a>,
    bytes: u64,
    header: Header,
    leash: &Leash<'a>,
    skipped: &Skipped,
) -> Opening<'a> {
    file.rewind()?;
    let source = stream(Leashed::new(Padded::new(file, Some(bytes)), leash.clone()));
    match header {
        Header::Blocks(blocks) => {
            let length_s = blocks.length_s();
            Ok(Opened { length_s, ..Opened::new(BlockReader::new(source, blocks)?) })
        }
        Header::Frames { start, end } => {
            let frames = FrameReader::new(source, start, end, skipped.clone(), None)?;
            frames
                .map(Opened::new)
                .map_err(|_| Unopened::Got("a WAV file without frames of its codec".to_owned()))
        }
        Header::Unsupported(what) => Err(Unopened::Got(format!("{what}, which is not supported; {CONVERT}"))),
        Header::Damaged(what) => Err(Unopened::Got(what)),
    }
}

/// Opens an MPEG transport stream.
fn with_transport<'a>(
    file: Box<dyn Bytes + 'a>,
    bytes: u64,
    transport: Transport,
    leash: &Leash<'a>,
    skipped: &Skipped,
) -> Opening<'a> {
    match transport {
        Transport::Unsupported(what) => {
            Err(Unopened::Got(format!("{what}, which is not supported; {CONVERT}")))
        }
        Transport::Stream(chosen) => {
            let source = Leashed::new(Padded::new(file, Some(bytes)), leash.clone());
            let (source, stamps) = StreamSource::new(source, &chosen)?;
            let frames = FrameReader::new(stream(source), 0, u64::MAX, skipped.clone(), Some(stamps))?;
            let format = frames.map_err(|_| {
                Unopened::Got("an MPEG transport stream without frames of its codec".to_owned())
            })?;
            Ok(Opened { stream_tracks: Some(chosen.tracks), late_s: chosen.late_s, ..Opened::new(format) })
        }
    }
}

/// Opens a file of another kind, whose audio begins at `start`.
fn other<'a>(
    mut file: Box<dyn Bytes + 'a>,
    start: u64,
    bytes: u64,
    leash: &Leash<'a>,
    skipped: &Skipped,
) -> Opening<'a> {
    if let Some(boxes) = fragments::file_type(&mut file, start, u64::from(PROBE_DEPTH))? {
        let mut mp4 = mp4::inspect(&mut file);
        file.rewind()?;
        // The demuxer takes a media box that ends behind the end of the file for none at all.
        let len = mp4.zeros_start.unwrap_or(bytes.max(mp4.media_end));
        let shown = std::mem::take(&mut mp4.shown);
        let checked = Checked::new(Padded::new(file, Some(len)), boxes, bytes, shown, leash.clone());
        let mut source = stream(Leashed::new(checked, leash.clone()));
        source.seek(SeekFrom::Start(boxes))?;
        let format = MP4_PROBE.probe(&Hint::new(), source, FormatOptions::default(), limits())?;
        return Ok(Opened { mp4, ..Opened::boxed(format) });
    }
    let masked = flac::metadata(&mut file, start, u64::from(PROBE_DEPTH))?;
    let masked = masked
        .ok_or_else(|| Unopened::Got("a FLAC file with more metadata blocks than are read".to_owned()))?;
    let head = head(&mut file, start)?;
    let marked = sniff::is_marked(&head);
    let (mut paddings, mut len, mut is_followed) = (EndPaddings::default(), Some(bytes), false);
    if head.starts_with(&matroska::MARK) {
        paddings = matroska::end_paddings(&mut file, start, leash)?;
        if let Some(end) = matroska::declared_end(&mut file, start, leash)? {
            is_followed = end < bytes && self::head(&mut file, end)?.starts_with(&matroska::MARK);
            // Of a file that was cut off, the index behind the end is not looked for.
            len = len.filter(|_| end <= bytes);
        }
    } else if head.starts_with(&caf::MARK) {
        len = Some(caf::chunks_end(&mut file, start, bytes)?);
    }
    file.rewind()?;
    let mut source = stream(Leashed::new(Masked::new(Padded::new(file, len), masked), leash.clone()));
    if !marked {
        source = match FrameReader::new(source, start, bytes, skipped.clone(), None)? {
            Ok(frames) => return Ok(Opened::new(frames)),
            Err(source) => source,
        };
    }
    source.seek(SeekFrom::Start(start))?;
    let format = PROBE.probe(&Hint::new(), source, FormatOptions::default(), limits())?;
    Ok(Opened { paddings, is_followed, ..Opened::boxed(format) })
}

/// Limits of what demuxers keep of tags and pictures.
fn limits() -> MetadataOptions {
    MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(64 * 1024))
        .limit_visual_bytes(Limit::Maximum(0))
}
