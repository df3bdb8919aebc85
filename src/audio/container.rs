//! Opens audio files: what they are, which of their tracks is decoded, and by which decoder. It
//! owns every refusal of a file as a whole; it decodes no packet.

use std::io::{Read, Seek, SeekFrom};
use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{self as codec, CODEC_ID_AAC, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error as DecoderError;
use symphonia::core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::formats;

use super::flac::{self, Masked};
use super::fragments::{self, Checked};
use super::input::Input;
use super::leash::{Leash, Leashed};
use super::mp4::{Mp4, Mp4Track};
use super::padded::Padded;
use super::{aac, mp4, output_len, sniff, vorbis};
use crate::error::{Error, Result};

/// What can be decoded, for error messages.
const EXPECTED: &str = "expected WAV, FLAC, MP3, Ogg Vorbis or AAC (M4A, ADTS)";
/// Bytes searched for the start of a format. Few, since a long search finds MP3 frames in any
/// noise.
const PROBE_DEPTH: u32 = 64 * 1024;
/// ID3v2 tags skipped at the start of a file; more than one is a mistake that happens.
const MAX_ID3_TAGS: u32 = 8;
/// Frames that one byte of a file can hold at the very most; a longer declared length is a damaged
/// header.
const MAX_FRAMES_PER_BYTE: u64 = 16_384;
/// Most tracks for which a decoder is tried: each may take some ten milliseconds to say no, and an
/// Ogg file may begin with hundreds of thousands.
const MAX_TRACKS_TRIED: usize = 100;
/// Most frames for which a decoder has room beforehand. The file says how many a packet has, up to
/// 2^32 in QuickTime, and a decoder makes room for more when they come.
const MAX_FRAMES_AHEAD: u64 = 1 << 16;

/// The known formats but MP4, with this module's limit on the search.
static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new_with_options(&probe_options());
    probe.register_format::<formats::AdtsReader<'_>>();
    probe.register_format::<formats::FlacReader<'_>>();
    probe.register_format::<formats::MpaReader<'_>>();
    probe.register_format::<formats::WavReader<'_>>();
    probe.register_format::<formats::OggReader<'_>>();
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

/// An opened file.
pub(super) struct Container<'a> {
    pub(super) format: Box<dyn FormatReader + 'a>,
    /// How far `format` may still read; granted anew wherever it gives something.
    pub(super) leash: Leash<'a>,
    /// Bytes of the file, where they are all there.
    bytes: Option<u64>,
    mp4: Mp4,
}

/// The track to decode, ready to do so.
pub(super) struct Selected {
    pub(super) id: u32,
    pub(super) decoder: Box<dyn AudioDecoder>,
    /// Start and length in seconds of the part to play, where the container's edit list says so.
    pub(super) edit: Option<(f64, Option<f64>)>,
    /// Seconds per tick of the packets' durations.
    pub(super) tick_s: Option<f64>,
    /// Declared length in 16 kHz samples.
    pub(super) len_hint: Option<u64>,
}

impl<'a> Container<'a> {
    /// Opens `input`, unless the caller of `leash` ends that.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Audio`] (without the name) where it is no audio that can be
    /// decoded; those of [`Call::check`](crate::call::Call::check).
    pub(super) fn open(mut input: Input<'a>, leash: Leash<'a>) -> Result<Self> {
        leash.look()?;
        let name = input.name.clone();
        let io = |error: std::io::Error| leash.wish().unwrap_or_else(|| Error::from_io(&name, error));
        // What comes while it is read is not kept waiting for more than a format begins with.
        let depth = if input.is_live() { sniff::HEAD_LEN as u64 } else { u64::from(PROBE_DEPTH) };
        let start = skip_id3(&mut input.bytes).map_err(io)?;
        let head = head(&mut input.bytes, start).map_err(io)?;
        if head.is_empty() && start == 0 {
            return Err(Error::Audio(format!("{EXPECTED}, got an empty file (0 bytes)")));
        }
        if let Some(what) = sniff::unsupported(&head) {
            return Err(Error::Audio(format!("{EXPECTED}, got {what}")));
        }
        let boxes = fragments::file_type(&mut input.bytes, start, depth).map_err(io)?;
        if boxes.is_some() {
            // What its samples are may stand behind them all.
            input = input.whole(&leash)?;
        }
        let Input { bytes: mut file, len: bytes, .. } = input;
        let mp4 = if boxes.is_some() { mp4::inspect(&mut file) } else { Mp4::default() };
        let masked = flac::metadata(&mut file, start, depth).map_err(io)?;
        let masked = masked.ok_or_else(|| {
            Error::Audio(format!("{EXPECTED}, got a FLAC file with more metadata blocks than are read"))
        })?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;

        // The demuxer takes a media box that ends behind the end of the file for none at all.
        let len = bytes.map(|bytes| mp4.zeros_start.unwrap_or(bytes.max(mp4.media_end)));
        let file = Padded::new(file, len);
        let (source, probe): (Box<dyn MediaSource + 'a>, _) = match boxes {
            Some(start) => {
                let checked = Checked::new(file, start, bytes.unwrap_or(u64::MAX), leash.clone());
                (Box::new(Leashed::new(checked, leash.clone())), &*MP4_PROBE)
            }
            None => (Box::new(Leashed::new(Masked::new(file, masked), leash.clone())), &*PROBE),
        };
        let mut stream = MediaSourceStream::new(source, Default::default());
        stream.seek(SeekFrom::Start(boxes.unwrap_or(start))).map_err(io)?;
        let limits = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(64 * 1024))
            .limit_visual_bytes(Limit::Maximum(0));
        let format = probe.probe(&Hint::new(), stream, FormatOptions::default(), limits);
        let format = format.map_err(|error| match (leash.wish(), leash.damage(), error) {
            (Some(wish), ..) => wish,
            (_, Some(damage), _) => Error::Audio(format!("{EXPECTED}, got a damaged MP4 file: {damage}")),
            (.., DecoderError::IoError(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                io(error)
            }
            (.., DecoderError::IoError(_)) => {
                Error::Audio(format!("{EXPECTED}, got a file that ends within its header"))
            }
            (.., error) => {
                Error::Audio(format!("{EXPECTED}, got data that cannot be read as any of them ({error})"))
            }
        })?;
        leash.opened();
        Ok(Self { format, leash, bytes, mp4 })
    }

    /// Chooses the first audio track, the default one before others, for which there is a decoder.
    ///
    /// # Errors
    /// What stands in the way, without the path.
    pub(super) fn select(&self) -> std::result::Result<Selected, String> {
        let default = self.format.default_track(TrackType::Audio);
        let default_id = default.map(|track| track.id);
        let others = self.format.tracks().iter().filter(|track| Some(track.id) != default_id);
        let mut reason = None;
        for track in default.into_iter().chain(others).take(MAX_TRACKS_TRIED) {
            let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { continue };
            let headers = parameters.extra_data.as_deref().filter(|_| parameters.codec == CODEC_ID_VORBIS);
            let refusal = match headers.and_then(vorbis::codebook_fault) {
                Some(fault) => format!("{EXPECTED}, got Vorbis with a damaged setup header: {fault}"),
                None => match decoder(parameters) {
                    Ok(decoder) => return Ok(self.selected(track, parameters, decoder)),
                    Err(error) => self.unsupported(track.id, parameters, &error),
                },
            };
            reason.get_or_insert(refusal);
        }
        Err(reason.unwrap_or_else(|| self.no_track()))
    }

    fn selected(
        &self,
        track: &Track,
        parameters: &AudioCodecParameters,
        decoder: Box<dyn AudioDecoder>,
    ) -> Selected {
        let edit = self.mp4_track(track.id).and_then(Mp4Track::edit_seconds);
        let tick_s = track.time_base.map(f64::from);
        Selected { id: track.id, decoder, edit, tick_s, len_hint: self.len_hint(track, parameters, edit) }
    }

    /// The declared length, if it is credible.
    fn len_hint(
        &self,
        track: &Track,
        parameters: &AudioCodecParameters,
        edit: Option<(f64, Option<f64>)>,
    ) -> Option<u64> {
        let bytes = self.bytes?;
        let most = bytes.saturating_mul(MAX_FRAMES_PER_BYTE);
        if let Some((_, Some(length_s))) = edit {
            return Some((length_s * f64::from(super::SAMPLE_RATE)).round() as u64).filter(|&n| n <= most);
        }
        // Zero where a fragmented file does not say it.
        let mut frames = track.num_frames.filter(|&frames| frames > 0 || self.mp4.tracks.is_empty())?;
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count() as u64);
        let frame_bits = u64::from(parameters.bits_per_coded_sample.unwrap_or(0)) * channels;
        if is_pcm(parameters.codec) && frame_bits > 0 {
            frames = frames.min(bytes.saturating_mul(8) / frame_bits);
        }
        let rate = parameters.sample_rate.filter(|&rate| rate > 0)?;
        (frames <= most).then(|| output_len(frames, rate))
    }

    fn mp4_track(&self, id: u32) -> Option<&Mp4Track> {
        self.mp4.tracks.iter().find(|track| track.id == id)
    }

    /// Why the file has no track to decode.
    fn no_track(&self) -> String {
        let sound = self.mp4.tracks.iter().find(|track| track.sound || track.is_encrypted());
        match sound {
            Some(track) if track.is_encrypted() => {
                format!("the audio seems to be DRM-protected (sample entry '{}')", track.entry_name())
            }
            Some(track) => format!("{EXPECTED}, got the unsupported audio codec '{}'", track.entry_name()),
            None => {
                let found = match self.format.tracks().len() {
                    0 => "no track at all".to_owned(),
                    count => format!("{count} of other kinds (video, subtitles)"),
                };
                format!("expected an audio track, got {found}")
            }
        }
    }

    /// Why a track with these parameters cannot be decoded.
    fn unsupported(&self, id: u32, parameters: &AudioCodecParameters, error: &DecoderError) -> String {
        if parameters.codec == CODEC_ID_AAC {
            return format!("expected AAC low complexity with 1 or 2 channels, got another kind ({error})");
        }
        let known = CODEC_NAMES.iter().find(|(id, _)| *id == parameters.codec);
        let name = match (known, self.mp4_track(id)) {
            (Some((_, name)), _) => (*name).to_owned(),
            (None, Some(track)) => format!("the codec '{}'", track.entry_name()),
            (None, None) => format!("codec {}", parameters.codec),
        };
        format!("{EXPECTED}, got {name}, which is not supported ({error})")
    }
}

/// Names of codecs that a supported container can hold but that have no decoder here.
const CODEC_NAMES: &[(AudioCodecId, &str)] = &[
    (codec::CODEC_ID_OPUS, "Opus"),
    (codec::CODEC_ID_SPEEX, "Speex"),
    (codec::CODEC_ID_ALAC, "Apple Lossless (ALAC)"),
    (codec::CODEC_ID_MP1, "MPEG audio layer 1"),
    (codec::CODEC_ID_MP2, "MPEG audio layer 2"),
    (codec::CODEC_ID_AC3, "Dolby AC-3"),
    (codec::CODEC_ID_EAC3, "Dolby E-AC-3"),
    (codec::CODEC_ID_AC4, "Dolby AC-4"),
    (codec::CODEC_ID_DCA, "DTS"),
    (codec::CODEC_ID_WMA, "Windows Media Audio"),
];

fn is_pcm(codec: AudioCodecId) -> bool {
    (codec::CODEC_ID_PCM_S32LE..=codec::CODEC_ID_PCM_MULAW).contains(&codec)
}

/// A decoder for `parameters`; of HE-AAC for its low-complexity core.
fn decoder(parameters: &AudioCodecParameters) -> std::result::Result<Box<dyn AudioDecoder>, DecoderError> {
    let options = AudioDecoderOptions::default().gapless(true);
    let codecs = symphonia::default::get_codecs();
    let mut parameters = parameters.clone();
    if is_pcm(parameters.codec) {
        parameters.max_frames_per_packet = parameters.max_frames_per_packet.map(|n| n.min(MAX_FRAMES_AHEAD));
    }
    let error = match codecs.make_audio_decoder(&parameters, &options) {
        Ok(decoder) => return Ok(decoder),
        Err(error) => error,
    };
    let config = parameters.extra_data.as_deref().filter(|_| parameters.codec == CODEC_ID_AAC);
    let Some(core) = config.and_then(aac::low_complexity_core) else { return Err(error) };
    parameters.with_extra_data(Box::new(core));
    log::info!("HE-AAC: decoding its low-complexity core");
    codecs.make_audio_decoder(&parameters, &options)
}

/// Where the audio starts behind ID3v2 tags, which hold text and pictures of any size.
fn skip_id3(file: &mut (impl Read + Seek)) -> std::io::Result<u64> {
    let mut start = 0;
    for _ in 0..MAX_ID3_TAGS {
        let head = head(file, start)?;
        let Some(&[b'I', b'D', b'3', _, _, flags, s3, s2, s1, s0]) = head.first_chunk() else { break };
        let size = [s3, s2, s1, s0].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        start += 10 + size + footer;
    }
    Ok(start)
}

/// The bytes from `start` on by which a file's format is detected.
fn head(file: &mut (impl Read + Seek), start: u64) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(sniff::HEAD_LEN);
    file.seek(SeekFrom::Start(start))?;
    file.take(sniff::HEAD_LEN as u64).read_to_end(&mut head)?;
    Ok(head)
}
