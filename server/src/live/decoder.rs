//! What makes samples of messages: of samples as they are written, and of packets of Opus, as
//! phones and browsers send them, a tenth of the bytes.

use opus::Channels;

use super::encoding::{Encoding, Pcm};
use crate::work::live::Samples;

/// Sample rates that a decoder of Opus can answer in, in hertz.
const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];
/// Longest packet in seconds: RFC 6716, section 2.1.4.
const PACKET_S: f64 = 0.12;
/// Length in seconds of a packet that is lost before the first one came: what most clients send.
const USUAL_S: f64 = 0.02;

/// The decoder of one stream.
pub(super) enum Decoder {
    /// Of samples.
    Pcm(Pcm, u16),
    /// Of packets.
    Opus(Box<Packets>),
}

/// A decoder of packets, each of which builds on those before.
pub(super) struct Packets {
    decoder: opus::Decoder,
    channels: usize,
    /// Room for the longest packet.
    room: Vec<f32>,
    /// Frames of the last packet.
    last: usize,
}

/// Why a stream of packets cannot have this form.
pub(super) enum Unfit {
    /// There is no such sample rate.
    SampleRate(String),
    /// There is no such number of channels.
    Channels(String),
    /// libopus says why.
    Failed(opus::Error),
}

impl Decoder {
    /// A decoder of `encoding` that answers in samples of this form.
    ///
    /// # Errors
    /// What of it libopus does not have.
    pub(super) fn new(encoding: Encoding, sample_rate: u32, channels: u16) -> Result<Self, Unfit> {
        Ok(match encoding {
            Encoding::Pcm(pcm) => Decoder::Pcm(pcm, channels),
            Encoding::Opus => Decoder::Opus(Box::new(Packets::new(sample_rate, channels)?)),
        })
    }

    /// The samples of a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Samples, String> {
        match self {
            Decoder::Pcm(pcm, channels) => pcm.decode(bytes, *channels),
            Decoder::Opus(packets) => packets.decode(bytes),
        }
    }
}

impl Packets {
    /// A decoder that answers in samples of this form.
    ///
    /// # Errors
    /// What of it libopus does not have.
    fn new(sample_rate: u32, channels: u16) -> Result<Self, Unfit> {
        if !RATES.contains(&sample_rate) {
            let rates = RATES.map(|rate| rate.to_string()).join(", ");
            return Err(Unfit::SampleRate(format!("expected one of {rates} with opus, got {sample_rate}")));
        }
        let kind = match channels {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            _ => return Err(Unfit::Channels(format!("expected 1 or 2 with opus, got {channels}"))),
        };
        let decoder = opus::Decoder::new(sample_rate, kind).map_err(Unfit::Failed)?;
        let (frames, channels) =
            (|seconds: f64| (seconds * f64::from(sample_rate)) as usize, channels.into());
        Ok(Self { decoder, channels, room: vec![0.0; frames(PACKET_S) * channels], last: frames(USUAL_S) })
    }

    /// The samples of a packet. An empty one was lost on its way to the client: it is as long as
    /// the last one, and made up from it.
    ///
    /// # Errors
    /// A packet that is none.
    fn decode(&mut self, packet: &[u8]) -> Result<Samples, String> {
        let room = if packet.is_empty() {
            self.room.get_mut(..self.last * self.channels)
        } else {
            Some(self.room.as_mut_slice())
        };
        let decoded = self.decoder.decode_float(packet, room.unwrap_or_default(), false);
        let frames = decoded.map_err(|error| {
            format!(
                "audio: expected a packet of Opus, got {} bytes that are none: {}",
                packet.len(),
                error.description()
            )
        })?;
        self.last = frames;
        Ok(Samples::F32(self.room.get(..frames * self.channels).unwrap_or_default().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(sample_rate: u32, channels: u16) -> Packets {
        Packets::new(sample_rate, channels).ok().unwrap()
    }

    #[test]
    fn forms_that_there_are_not_are_refused() {
        let refused = |sample_rate, channels| match Packets::new(sample_rate, channels) {
            Err(Unfit::SampleRate(text) | Unfit::Channels(text)) => text,
            _ => panic!("{sample_rate} Hz, {channels} channels"),
        };
        let rates = "expected one of 8000, 12000, 16000, 24000, 48000 with opus, got 44100";
        assert_eq!(refused(44_100, 1), rates);
        assert_eq!(refused(16_000, 3), "expected 1 or 2 with opus, got 3");
        assert!(RATES.iter().all(|&rate| Packets::new(rate, 2).is_ok()));
    }

    #[test]
    fn lost_packets_are_as_long_as_the_last_one() {
        let mut encoder = opus::Encoder::new(48_000, Channels::Stereo, opus::Application::Voip).unwrap();
        let packet = encoder.encode_vec_float(&[0.1; 2 * 1920], 4000).unwrap();
        let mut decoder = packets(16_000, 2);
        assert_eq!(decoder.decode(&[]).unwrap().len(), 2 * 320);
        assert_eq!(decoder.decode(&packet).unwrap().len(), 2 * 640);
        assert_eq!([(), ()].map(|()| decoder.decode(&[]).unwrap().len()), [2 * 640; 2]);
    }

    #[test]
    fn whatever_comes_is_a_packet_or_none_and_never_longer_than_one() {
        let mut decoder = packets(48_000, 1);
        let (mut taken, mut refused, mut state) = (0, 0, 1_u32);
        for round in 0..20_000_usize {
            let random = |state: &mut u32| {
                *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (*state >> 24) as u8
            };
            let packet: Vec<u8> = (0..1 + round % 40).map(|_| random(&mut state)).collect();
            match decoder.decode(&packet) {
                Ok(Samples::F32(samples)) => {
                    assert!(samples.len() <= 5760 && samples.iter().all(|sample| sample.is_finite()));
                    taken += 1;
                }
                Ok(Samples::I16(_)) => panic!("other samples than floats"),
                Err(error) => {
                    assert!(error.starts_with("audio: expected a packet of Opus, got "), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(taken > 100 && refused > 100, "{taken} {refused}");
        // The largest message that a client may send.
        assert!(decoder.decode(&[0xff; 65_536]).is_err());
    }
}
