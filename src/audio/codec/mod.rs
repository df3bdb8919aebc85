//! Decoders: which one a track gets, and what is wrong with a track that gets none. It owns the
//! list of codecs and the checks of their headers; it reads no files.

mod aac;
mod g722;
mod gsm;
mod opus;
mod speech;
mod vorbis;

use std::sync::LazyLock;

use symphonia::core::codecs::audio::well_known::{self as id, CODEC_ID_AAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as DecoderError;
use symphonia_adapter_libopus::OpusDecoder;

use self::speech::SpeechDecoder;
pub(super) use self::speech::{CODEC_ID_GSM, CODEC_ID_GSM_MS};

/// Most frames for which a decoder has room beforehand. The file says how many a packet has, up to
/// 2^32 in QuickTime, and a decoder makes room for more when they come.
const MAX_FRAMES_AHEAD: u64 = 1 << 16;

/// The known decoders.
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs.register_audio_decoder::<SpeechDecoder>();
    codecs
});

/// A decoder and what its codec says beside the container.
pub(super) struct Decoder {
    pub(super) decoder: Box<dyn AudioDecoder>,
    /// Seconds of audio in front of the sound.
    pub(super) delay_s: f64,
    /// Factor for all samples.
    pub(super) gain: f32,
}

/// Why there is no decoder.
pub(super) enum Refusal {
    /// The codec's headers are damaged.
    Damaged(String),
    /// What the track holds, as words behind "got".
    Unsupported(String),
}

/// A decoder for `parameters`; of HE-AAC for its low-complexity core.
pub(super) fn decoder(parameters: &AudioCodecParameters) -> Result<Decoder, Refusal> {
    let mut parameters = parameters.clone();
    let (mut delay_s, mut gain) = (0.0, 1.0);
    match parameters.codec {
        CODEC_ID_VORBIS => {
            let fault = parameters.extra_data.as_deref().and_then(vorbis::codebook_fault);
            if let Some(fault) = fault {
                return Err(Refusal::Damaged(format!("Vorbis with a damaged setup header: {fault}")));
            }
        }
        CODEC_ID_OPUS => {
            let head = opus::Head::prepare(&mut parameters).map_err(Refusal::Unsupported)?;
            (delay_s, gain) = (head.delay_s, head.gain);
        }
        codec if is_pcm(codec) => {
            parameters.max_frames_per_packet =
                parameters.max_frames_per_packet.map(|frames| frames.min(MAX_FRAMES_AHEAD));
        }
        _ => {}
    }
    make(&mut parameters)
        .map(|decoder| Decoder { decoder, delay_s, gain })
        .map_err(|error| Refusal::Unsupported(unsupported(parameters.codec, &error)))
}

fn make(parameters: &mut AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, DecoderError> {
    let options = AudioDecoderOptions::default().gapless(true);
    let error = match CODECS.make_audio_decoder(parameters, &options) {
        Ok(decoder) => return Ok(decoder),
        Err(error) => error,
    };
    let config = parameters.extra_data.as_deref().filter(|_| parameters.codec == CODEC_ID_AAC);
    let Some(core) = config.and_then(aac::low_complexity_core) else {
        return Err(error);
    };
    parameters.with_extra_data(Box::new(core));
    log::info!("HE-AAC: decoding its low-complexity core");
    CODECS.make_audio_decoder(parameters, &options)
}

/// What a track of `codec` holds, for which there is no decoder.
fn unsupported(codec: AudioCodecId, error: &DecoderError) -> String {
    if codec == CODEC_ID_AAC {
        return format!("AAC of another kind than low complexity with 1 or 2 channels ({error})");
    }
    match NAMES.iter().find(|(id, _)| *id == codec) {
        Some((_, name)) => format!("{name}, which is not supported ({error})"),
        None => format!("codec {codec}, which is not supported ({error})"),
    }
}

/// Names of codecs.
const NAMES: &[(AudioCodecId, &str)] = &[
    (id::CODEC_ID_SPEEX, "Speex"),
    (id::CODEC_ID_ALAC, "Apple Lossless (ALAC)"),
    (id::CODEC_ID_FLAC, "FLAC"),
    (id::CODEC_ID_MP1, "MPEG audio layer 1"),
    (id::CODEC_ID_MP2, "MPEG audio layer 2"),
    (id::CODEC_ID_AC3, "Dolby AC-3"),
    (id::CODEC_ID_EAC3, "Dolby E-AC-3"),
    (id::CODEC_ID_AC4, "Dolby AC-4"),
    (id::CODEC_ID_DCA, "DTS"),
    (id::CODEC_ID_WMA, "Windows Media Audio"),
    (id::CODEC_ID_TRUEHD, "Dolby TrueHD"),
    (id::CODEC_ID_TTA, "True Audio"),
    (id::CODEC_ID_WAVPACK, "WavPack"),
    (id::CODEC_ID_MONKEYS_AUDIO, "Monkey's Audio"),
];

/// Whether the samples of `codec` are integers or floats as they are.
pub(super) fn is_pcm(codec: AudioCodecId) -> bool {
    (id::CODEC_ID_PCM_S32LE..=id::CODEC_ID_PCM_MULAW).contains(&codec)
}
