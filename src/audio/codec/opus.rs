//! Opus: the identification header (RFC 7845, 5.1), which containers carry along. It owns what the
//! decoder is not told by its package: the samples to skip, and the output gain.

use symphonia::core::codecs::audio::AudioCodecParameters;

/// Opus is decoded at this rate, whatever the rate of the recording was.
const RATE: u32 = 48_000;
const MARKER: &[u8] = b"OpusHead";

/// What the identification header asks of a player.
pub(super) struct Head {
    /// Seconds to skip at the start.
    pub(super) delay_s: f64,
    /// Factor for all samples.
    pub(super) gain: f32,
}

impl Head {
    /// Reads the header in `parameters`, and makes these what the decoder needs: its package would
    /// skip samples of the first packet alone, and takes the rate of the recording for its own.
    ///
    /// # Errors
    /// What it is where there is no decoder for it.
    pub(super) fn prepare(parameters: &mut AudioCodecParameters) -> Result<Self, String> {
        let extra = parameters.extra_data.take().unwrap_or_default();
        parameters.with_sample_rate(RATE);
        let head = extra.strip_prefix(MARKER).unwrap_or_default();
        let &[version, channels, skip_0, skip_1, _, _, _, _, gain_0, gain_1, ..] = head else {
            return Ok(Self { delay_s: 0.0, gain: 1.0 });
        };
        if channels > 2 {
            return Err(format!("Opus with {channels} channels, of which 1 or 2 are supported"));
        }
        let (mut skip, mut gain) = ([skip_0, skip_1], [gain_0, gain_1]);
        // MP4 has the header as a box of version 0, whose numbers begin with the highest byte.
        if version == 0 {
            skip.reverse();
            gain.reverse();
        }
        let skip = u16::from_le_bytes(skip);
        // In 1/256 dB.
        let gain_db = f32::from(i16::from_le_bytes(gain)) / 256.0;
        let gain = if gain_db == 0.0 { 1.0 } else { 10.0_f32.powf(gain_db / 20.0) };
        Ok(Self { delay_s: f64::from(skip) / f64::from(RATE), gain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(extra: &[u8]) -> (Result<Head, String>, AudioCodecParameters) {
        let mut parameters = AudioCodecParameters::new();
        parameters.with_sample_rate(16_000).with_extra_data(extra.into());
        (Head::prepare(&mut parameters), parameters)
    }

    #[test]
    fn the_header_gives_the_skip_and_the_gain_and_the_decoder_sees_neither() {
        // Version 1, 1 channel, skip 312, 16 kHz, gain -6 dB.
        let (head, parameters) = prepare(b"OpusHead\x01\x01\x38\x01\x80\x3e\0\0\0\xfa\0");
        let head = head.unwrap();
        assert_eq!((head.delay_s, parameters.sample_rate), (0.0065, Some(48_000)));
        assert!((head.gain - 0.5012).abs() < 1e-4 && parameters.extra_data.is_none(), "{}", head.gain);
        // The same as a box of MP4.
        let (boxed, _) = prepare(b"OpusHead\x00\x01\x01\x38\0\0\x3e\x80\xfa\0\0");
        let boxed = boxed.unwrap();
        assert_eq!((boxed.delay_s, boxed.gain), (head.delay_s, head.gain));
        let (surround, _) = prepare(b"OpusHead\x01\x06\0\0\x80\x3e\0\0\0\0\x01");
        assert!(surround.err().unwrap().contains("6 channels"));
        let plain = prepare(b"").0.unwrap();
        assert_eq!((plain.delay_s, plain.gain), (0.0, 1.0));
    }
}
