//! Decoders of telephone codecs as decoders of the audio package. It owns what they share:
//! channels, packets, and bits.

use symphonia::core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_ADPCM_G722;
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia::core::common::FourCc;
use symphonia::core::errors::{Result, unsupported_error};
use symphonia::core::packet::PacketRef;

use super::g722::G722;
use super::gsm::Gsm;

/// GSM 06.10 in frames of 33 bytes, and in the pairs of WAV, of 65 bytes.
pub(in crate::audio) const CODEC_ID_GSM: AudioCodecId = AudioCodecId::new(FourCc::new(*b"agsm"));
pub(in crate::audio) const CODEC_ID_GSM_MS: AudioCodecId = AudioCodecId::new(FourCc::new(*b"MSGS"));

/// A codec of one channel, whose packets hold a whole number of its frames.
pub(super) trait Speech: Send + Sync {
    /// Forgets what was decoded.
    fn reset(&mut self);

    /// Appends what `data` holds to `out`.
    fn decode(&mut self, data: &[u8], out: &mut Vec<f32>);
}

/// Which bit of a byte is the first.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    HighestFirst,
    LowestFirst,
}

/// Bits of a byte slice.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    order: Order,
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, order, position: 0 }
    }

    /// The next `count` bits, at most 32; the first is the highest, or the lowest.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..count {
            let byte = u32::from(*self.bytes.get(self.position / 8)?);
            let within = self.position % 8;
            value = match self.order {
                Order::HighestFirst => value << 1 | byte >> (7 - within) & 1,
                Order::LowestFirst => value | (byte >> within & 1) << place,
            };
            self.position += 1;
        }
        Some(value)
    }
}

const fn codec(id: AudioCodecId, short_name: &'static str, long_name: &'static str) -> SupportedAudioCodec {
    SupportedAudioCodec { id, info: CodecInfo { short_name, long_name, profiles: &[] } }
}

const SUPPORTED: &[SupportedAudioCodec; 3] = &[
    codec(CODEC_ID_GSM, "gsm", "GSM 06.10"),
    codec(CODEC_ID_GSM_MS, "gsm_ms", "GSM 06.10 in WAV"),
    codec(CODEC_ID_ADPCM_G722, "g722", "G.722"),
];

/// A decoder of one channel.
pub(super) struct SpeechDecoder {
    parameters: AudioCodecParameters,
    speech: Box<dyn Speech>,
    samples: Vec<f32>,
    buffer: AudioBuffer<f32>,
}

impl AudioDecoder for SpeechDecoder {
    fn reset(&mut self) {
        self.speech.reset();
    }

    fn codec_info(&self) -> &CodecInfo {
        let [gsm, gsm_ms, g722] = SUPPORTED;
        match self.parameters.codec {
            CODEC_ID_GSM => &gsm.info,
            CODEC_ID_GSM_MS => &gsm_ms.info,
            _ => &g722.info,
        }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.parameters
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.samples.clear();
        self.speech.decode(packet.data, &mut self.samples);
        if self.buffer.capacity() < self.samples.len() {
            self.buffer = AudioBuffer::new(self.buffer.spec().clone(), self.samples.len());
        }
        self.buffer.clear();
        self.buffer.render_uninit(Some(self.samples.len()));
        self.buffer.copy_from_slice_interleaved(&self.samples);
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

impl RegisterableAudioDecoder for SpeechDecoder {
    fn try_registry_new(
        parameters: &AudioCodecParameters,
        _options: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        let Some(rate) = parameters.sample_rate else {
            return unsupported_error("speech: expected a sample rate");
        };
        if parameters.channels.as_ref().is_some_and(|channels| channels.count() != 1) {
            return unsupported_error("speech: expected one channel");
        }
        let speech: Box<dyn Speech> = match parameters.codec {
            CODEC_ID_GSM => Box::new(Gsm::new(Order::HighestFirst)),
            CODEC_ID_GSM_MS => Box::new(Gsm::new(Order::LowestFirst)),
            _ => Box::new(G722::new()),
        };
        Ok(Box::new(Self {
            parameters: parameters.clone(),
            speech,
            samples: Vec::new(),
            buffer: AudioBuffer::new(AudioSpec::new(rate, Channels::Discrete(1)), 0),
        }))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        SUPPORTED
    }
}
