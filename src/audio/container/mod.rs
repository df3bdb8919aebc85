//! Opens audio files: what they are, which of their tracks is decoded, and by which decoder. It
//! owns every refusal of a file as a whole; it decodes no packet.

mod aiff;
mod blocks;
mod caf;
mod flac;
mod fragments;
mod frame;
mod frames;
mod header;
mod matroska;
mod mp4;
mod open;
mod padded;
mod skipped;
mod sniff;
mod sun;
mod times;
mod transport;
mod wave;
mod wave64;

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, CODEC_ID_NULL_AUDIO};
use symphonia::core::formats::well_known::{FORMAT_ID_FLAC, FORMAT_ID_MKV};
use symphonia::core::formats::{FormatReader, Track, TrackType};

use self::matroska::EndPaddings;
pub(super) use self::mp4::Piece;
use self::mp4::{Mp4, Mp4Track};
use self::open::{Opened, Unopened};
use self::skipped::Skipped;
use super::codec::{self, Decoder, Refusal};
use super::input::Input;
use super::leash::Leash;
use super::output_len;
use crate::error::{Error, Result};

/// What can be decoded, for error messages.
const EXPECTED: &str = "expected WAV, FLAC, MP3, AAC, Ogg, Opus, WebM or another format of docs/AUDIO.md";
/// What helps with a file that is not decoded here.
const CONVERT: &str = "'ffmpeg -i FILE -ac 1 -ar 16000 OUT.wav' may convert it";
/// ID3v2 tags skipped at the start of a file; more than one is a mistake that happens.
const MAX_ID3_TAGS: u32 = 8;
/// Frames that one byte of a file can hold at the very most; a longer declared length is a damaged
/// header.
const MAX_FRAMES_PER_BYTE: u64 = 16_384;
/// Most tracks for which a decoder is tried: each may take some ten milliseconds to say no, and an
/// Ogg file may begin with hundreds of thousands.
const MAX_TRACKS_TRIED: usize = 100;
/// Most audio tracks that can be chosen among.
const MAX_TRACKS: usize = 32;

/// An opened file.
pub(super) struct Container<'a> {
    pub(super) format: Box<dyn FormatReader + 'a>,
    /// How far `format` may still read; granted anew wherever it gives something.
    pub(super) leash: Leash<'a>,
    /// What the demuxer goes over.
    pub(super) skipped: Skipped,
    /// Bytes of the file, where they are all there.
    bytes: Option<u64>,
    mp4: Mp4,
    /// Number of audio tracks, where `format` has but one of them.
    stream_tracks: Option<usize>,
    /// Seconds of the only track to play, where its blocks hold more.
    length_s: Option<f64>,
    /// Seconds by which the only audio track begins later than the file.
    late_s: f64,
    /// How much is to be discarded at the ends of tracks.
    paddings: EndPaddings,
    is_followed: bool,
}

/// The track to decode, ready to do so.
pub(super) struct Selected {
    /// Its place among the audio tracks, counted from 0.
    pub(super) number: u16,
    pub(super) id: u32,
    pub(super) decoder: Box<dyn AudioDecoder>,
    /// Factor for all samples.
    pub(super) gain: f32,
    /// Start and length in seconds of the part to play, where the container's edit list says so.
    pub(super) edit: Option<(f64, Option<f64>)>,
    /// What is played behind it.
    pub(super) more: VecDeque<Piece>,
    /// What of the edit list is not followed.
    pub(super) edit_fault: Option<&'static str>,
    /// Whether the last packet of that part is played as a whole.
    pub(super) whole_packets: bool,
    /// Seconds by which the track begins later than the file.
    pub(super) late_s: f64,
    /// Whether the times of packets count from the beginning of the file, not of the track.
    pub(super) from_zero: bool,
    /// Seconds per tick of the packets' durations.
    pub(super) tick_s: Option<f64>,
    /// Declared length in 16 kHz samples.
    pub(super) len_hint: Option<u64>,
}

impl<'a> Container<'a> {
    /// Opens `input`, with the audio track of number `track` if that is said, unless the caller of
    /// `leash` ends that.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Audio`] (without the name) where it is no audio that can be
    /// decoded; those of [`Call::check`](crate::call::Call::check).
    pub(super) fn open(mut input: Input<'a>, track: Option<u16>, leash: Leash<'a>) -> Result<Self> {
        leash.look()?;
        let name = input.name.clone();
        let io = |error: std::io::Error| leash.wish().unwrap_or_else(|| Error::from_io(&name, error));
        let start = skip_id3(&mut input.bytes).map_err(io)?;
        let head = head(&mut input.bytes, start).map_err(io)?;
        if head.is_empty() && start == 0 {
            return Err(Error::Audio(format!("{EXPECTED}, got an empty file (0 bytes)")));
        }
        if let Some(what) = sniff::no_audio(&head) {
            return Err(Error::Audio(format!("{EXPECTED}, got {what}")));
        }
        if let Some(what) = sniff::convertible(&head) {
            return Err(Error::Audio(format!("{EXPECTED}, got {what}, which is not supported; {CONVERT}")));
        }
        let skipped = Skipped::default();
        // What an MP4's samples are may stand behind them all.
        let live_depth = sniff::HEAD_LEN as u64;
        if input.is_live() && fragments::file_type(&mut input.bytes, start, live_depth).map_err(io)?.is_some()
        {
            input = input.whole(&leash)?;
        }
        let Input { bytes: file, len: bytes, .. } = input;
        let opened = match bytes {
            Some(bytes) => open::open(file, start, bytes, track, &leash, &skipped),
            None => open::live(file, start, &leash),
        };
        let opened = opened.map_err(|unopened| match (leash.wish(), leash.damage(), unopened) {
            (Some(wish), ..) => wish,
            (_, Some(damage), _) => Error::Audio(format!("{EXPECTED}, got a damaged MP4 file: {damage}")),
            (.., Unopened::Io(error)) => io(error),
            (.., Unopened::Got(what)) => Error::Audio(format!("{EXPECTED}, got {what}")),
        })?;
        leash.opened();
        let Opened { format, mp4, stream_tracks, length_s, late_s, paddings, is_followed } = opened;
        Ok(Self {
            format,
            leash,
            skipped,
            bytes,
            mp4,
            stream_tracks,
            length_s,
            late_s,
            paddings,
            is_followed,
        })
    }

    /// The audio tracks that the demuxer has.
    fn audio_tracks(&self) -> impl Iterator<Item = (&Track, &AudioCodecParameters)> {
        self.format.tracks().iter().filter_map(|track| match &track.codec_params {
            Some(CodecParameters::Audio(parameters)) => Some((track, parameters)),
            _ => None,
        })
    }

    /// Number of audio tracks, of which some may have no decoder: at most 32, at least 1.
    pub(super) fn tracks(&self) -> u16 {
        let count = self.stream_tracks.unwrap_or_else(|| self.audio_tracks().take(MAX_TRACKS).count());
        u16::try_from(count.clamp(1, MAX_TRACKS)).unwrap_or(1)
    }

    /// Chooses the audio track of this number or, without one, the first for which there is a
    /// decoder, the default one before others.
    ///
    /// # Errors
    /// What stands in the way, without the path.
    pub(super) fn select(&self, number: Option<u16>) -> std::result::Result<Selected, String> {
        // Of a transport stream, the demuxer has the one that was asked for.
        if let Some(number) = number.filter(|_| self.stream_tracks.is_none()) {
            let track = self.audio_tracks().nth(usize::from(number));
            let (track, parameters) = track.ok_or_else(|| self.no_track())?;
            return self.decodable(number, track, parameters);
        }
        let default_id = self.format.default_track(TrackType::Audio).map(|track| track.id);
        let numbered = || self.audio_tracks().zip(0..);
        let is_default = |track: &Track| Some(track.id) == default_id;
        let default = numbered().filter(|((track, _), _)| is_default(track));
        let others = numbered().filter(|((track, _), _)| !is_default(track));
        let mut reason = None;
        for ((track, parameters), own) in default.chain(others).take(MAX_TRACKS_TRIED) {
            match self.decodable(number.unwrap_or(own), track, parameters) {
                Ok(selected) => return Ok(selected),
                Err(refusal) => reason.get_or_insert(refusal),
            };
        }
        Err(reason.unwrap_or_else(|| self.no_track()))
    }

    /// A track, if there is a decoder for it.
    fn decodable(
        &self,
        number: u16,
        track: &Track,
        parameters: &AudioCodecParameters,
    ) -> std::result::Result<Selected, String> {
        let mut parameters = parameters.clone();
        if let Some(track) = self.mp4_track(track.id) {
            track.correct(&mut parameters);
        }
        match codec::decoder(&parameters) {
            Ok(decoder) => Ok(self.selected(number, track, &parameters, decoder)),
            Err(Refusal::Damaged(what)) => Err(format!("{EXPECTED}, got {what}")),
            Err(Refusal::Unsupported(what)) => Err(self.unsupported(track.id, &parameters, &what)),
        }
    }

    fn selected(
        &self,
        number: u16,
        track: &Track,
        parameters: &AudioCodecParameters,
        Decoder { decoder, delay_s, gain }: Decoder,
    ) -> Selected {
        let mp4 = self.mp4_track(track.id);
        let pieces = mp4.map(|mp4| mp4.pieces(track.num_frames, parameters.sample_rate));
        let mut more = pieces.unwrap_or_default();
        let edit = match more.pop_front() {
            Some(Piece::Media { start_s, length_s }) => Some((start_s, length_s)),
            _ => self.length_s.map(|length_s| (0.0, Some(length_s))),
        };
        let len_hint = self.len_hint(track, parameters, edit, &more);
        // An edit list counts what the codec asks to skip.
        let edit = edit.or((delay_s > 0.0).then_some((delay_s, None)));
        let tick_s = track.time_base.map(f64::from);
        let late_s = self.late_s + mp4.map_or(0.0, Mp4Track::late_s);
        let from_zero = self.format.format_info().format == FORMAT_ID_MKV;
        Selected {
            number,
            id: track.id,
            decoder,
            gain,
            edit,
            more,
            edit_fault: mp4.and_then(Mp4Track::edit_fault),
            tick_s,
            late_s,
            from_zero,
            whole_packets: self.length_s.is_none(),
            len_hint,
        }
    }

    /// The declared length, if it is credible.
    fn len_hint(
        &self,
        track: &Track,
        parameters: &AudioCodecParameters,
        edit: Option<(f64, Option<f64>)>,
        more: &VecDeque<Piece>,
    ) -> Option<u64> {
        let bytes = self.bytes?;
        let most = bytes.saturating_mul(MAX_FRAMES_PER_BYTE);
        if let Some((_, Some(length_s))) = edit {
            let more_s = more.iter().map(|piece| match *piece {
                Piece::Silence(length_s) | Piece::Media { length_s: Some(length_s), .. } => length_s,
                Piece::Media { length_s: None, .. } => 0.0,
            });
            let length_s = length_s + more_s.sum::<f64>();
            return Some((length_s * f64::from(super::SAMPLE_RATE)).round() as u64).filter(|&n| n <= most);
        }
        // Zero where a fragmented file does not say it.
        let mut frames = track.num_frames.filter(|&frames| frames > 0 || self.mp4.tracks.is_empty())?;
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count() as u64);
        let frame_bits = u64::from(parameters.bits_per_coded_sample.unwrap_or(0)) * channels;
        if codec::is_pcm(parameters.codec) && frame_bits > 0 {
            frames = frames.min(bytes.saturating_mul(8) / frame_bits);
        }
        let rate = parameters.sample_rate.filter(|&rate| rate > 0)?;
        (frames <= most).then(|| output_len(frames, rate))
    }

    /// Whether the file goes on behind its track, of which `decoded` samples were there. The length
    /// that FLAC states counts all samples.
    pub(super) fn goes_on(&self, decoded: u64) -> bool {
        let is_flac = self.format.format_info().format == FORMAT_ID_FLAC;
        let stated = self.audio_tracks().next().and_then(|(track, _)| track.num_frames);
        self.is_followed || is_flac && stated.is_some_and(|frames| frames > 0 && decoded > frames)
    }

    /// Whether the last packet of a track may be played in part.
    pub(super) fn may_be_padded(&self) -> bool {
        self.paddings.possible
    }

    /// Seconds to discard at the end of the track of this number, as far as it was read.
    pub(super) fn end_padding_s(&self, id: u32) -> f64 {
        self.paddings.seconds(u64::from(id))
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
            Some(track) => {
                format!("{EXPECTED}, got {}, which is not supported; {CONVERT}", track.codec_name())
            }
            None => {
                let found = match self.format.tracks().len() {
                    0 => "no track at all".to_owned(),
                    count => {
                        format!("{count} of other kinds (video, subtitles, an unknown codec); {CONVERT}")
                    }
                };
                format!("expected an audio track, got {found}")
            }
        }
    }

    /// Why a track with these parameters cannot be decoded, which is `what` by its codec.
    fn unsupported(&self, id: u32, parameters: &AudioCodecParameters, what: &str) -> String {
        let entry = self.mp4_track(id).filter(|_| parameters.codec == CODEC_ID_NULL_AUDIO);
        match entry {
            Some(track) => {
                format!("{EXPECTED}, got {}, which is not supported; {CONVERT}", track.codec_name())
            }
            None => format!("{EXPECTED}, got {what}; {CONVERT}"),
        }
    }
}

/// Where the audio starts behind ID3v2 tags, which hold text and pictures of any size.
fn skip_id3(file: &mut (impl Read + Seek)) -> std::io::Result<u64> {
    let mut start = 0;
    for _ in 0..MAX_ID3_TAGS {
        let head = head(file, start)?;
        let Some(&[b'I', b'D', b'3', _, _, flags, s3, s2, s1, s0]) = head.first_chunk() else {
            break;
        };
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
