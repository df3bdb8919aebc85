//! The converter: gain, aliasing, delay, length, mixing, and what it refuses.

use voiceflow::audio::{Converter, MAX_MAGNITUDE};

fn tone(hz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let count = (f64::from(rate) * seconds) as usize;
    let phase = |n: usize| std::f64::consts::TAU * hz * n as f64 / f64::from(rate);
    (0..count).map(|n| (0.5 * phase(n).sin()) as f32).collect()
}

fn convert(samples: &[f32], rate: u32, channels: u16) -> Vec<f32> {
    let mut converter = Converter::new(rate, channels).unwrap();
    let mut out = Vec::new();
    converter.push(samples, &mut out).unwrap();
    converter.finish(&mut out).unwrap();
    out
}

/// RMS level in dB of the middle half.
fn level_db(samples: &[f32]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let power: f64 = middle.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / middle.len() as f64;
    10.0 * power.log10()
}

// Usual rates, one with no common divisor (sinc), and both ends of the range.
const RATES: [u32; 14] = [
    1_000, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000, 96_001,
    768_000,
];

#[test]
fn keeps_the_passband_within_a_tenth_of_a_decibel() {
    for rate in RATES.into_iter().filter(|&rate| rate >= 8_000) {
        for hz in [100.0, 1_000.0, 3_000.0] {
            let gain = level_db(&convert(&tone(hz, rate, 1.0), rate, 1)) - level_db(&tone(hz, 16_000, 1.0));
            assert!(gain.abs() < 0.1, "{rate} Hz: gain {gain} dB at {hz} Hz");
        }
    }
}

#[test]
fn keeps_speech_up_to_7_2_khz() {
    for rate in [22_050, 44_100, 48_000, 96_001] {
        let gain =
            level_db(&convert(&tone(7_200.0, rate, 1.0), rate, 1)) - level_db(&tone(1_000.0, 16_000, 1.0));
        assert!(gain.abs() < 0.5, "{rate} Hz: gain {gain} dB");
    }
}

#[test]
fn attenuates_what_would_alias_by_more_than_60_db() {
    let reference = level_db(&tone(1_000.0, 16_000, 1.0));
    for rate in [22_050_u32, 24_000, 44_100, 48_000, 96_001, 192_000] {
        for hz in [8_400.0, 9_000.0, 12_000.0, 20_000.0] {
            if hz < f64::from(rate) / 2.0 {
                let left = level_db(&convert(&tone(hz, rate, 1.0), rate, 1)) - reference;
                assert!(left < -60.0, "{rate} Hz: {left} dB of {hz} Hz left");
            }
        }
    }
}

#[test]
fn makes_no_images_above_the_band_of_an_8_khz_input() {
    // 3 kHz at 8 kHz has its image at 5 kHz; what is left of it is what the tone itself does not
    // explain.
    let out = convert(&tone(3_000.0, 8_000, 1.0), 8_000, 1);
    let wanted = tone(3_000.0, 16_000, 1.0);
    let rest: Vec<f32> = out.iter().zip(wanted).map(|(a, b)| a - b).collect();
    assert!(level_db(&rest) - level_db(&out) < -60.0, "{}", level_db(&rest) - level_db(&out));
}

#[test]
fn a_click_comes_out_at_its_time() {
    for rate in RATES {
        let mut input = vec![0.0; rate as usize];
        let at = rate as usize * 2 / 5;
        // Long enough to hold its level through the filter.
        let width = (rate / 2_000).max(1) as usize;
        input[at..at + width].fill(1.0);
        let out = convert(&input, rate, 1);
        let peak = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
        let expected_s = (at as f64 + (width as f64 - 1.0) / 2.0) / f64::from(rate);
        let error_s = peak as f64 / 16_000.0 - expected_s;
        assert!(error_s.abs() < 0.000_5, "{rate} Hz: off by {error_s} s");
    }
}

#[test]
fn a_tone_keeps_its_phase() {
    // Half a sample at 44.1 kHz is 11 µs.
    for rate in [8_000, 11_025, 12_000, 22_050, 44_100, 48_000, 88_200, 96_000, 176_400] {
        let out = convert(&tone(1_000.0, rate, 1.0), rate, 1);
        // Within the tone's period of 16 samples, against the tone and a quarter of it later.
        let [mut along, mut across] = [0.0; 2];
        for (n, &sample) in out.iter().enumerate().take(12_000).skip(4_000) {
            let (sine, cosine) = (std::f64::consts::TAU * n as f64 / 16.0).sin_cos();
            along += f64::from(sample) * sine;
            across += f64::from(sample) * cosine;
        }
        let early_s = f64::atan2(across, along) / std::f64::consts::TAU / 1_000.0;
        assert!(early_s.abs() < 1e-7, "{rate} Hz: early by {early_s} s");
    }
}

#[test]
fn puts_out_exactly_the_rounded_length() {
    for rate in RATES {
        for frames in [0, 1, 2, 7, 160, 441, 1_000, 4_097, 50_001] {
            let expected = (f64::from(frames) * 16_000.0 / f64::from(rate)).round() as usize;
            let out = convert(&vec![0.25; frames as usize], rate, 1);
            assert_eq!(out.len(), expected, "{frames} frames at {rate} Hz");
        }
    }
}

#[test]
fn the_result_does_not_depend_on_how_pushes_are_split() {
    for (rate, channels) in [(16_000, 1), (16_000, 2), (44_100, 2), (8_000, 3), (96_001, 1)] {
        let input = tone(440.0, rate, 0.3 * f64::from(channels));
        let whole = convert(&input, rate, channels);
        for sizes in [[1, 1, 1], [7, 160, 1], [441, 0, 5_000], [3_333, 17, 1_024]] {
            let mut converter = Converter::new(rate, channels).unwrap();
            let (mut out, mut rest) = (Vec::new(), &input[..]);
            for size in sizes.into_iter().cycle() {
                let (push, after) = rest.split_at(size.min(rest.len()));
                converter.push(push, &mut out).unwrap();
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            converter.finish(&mut out).unwrap();
            assert!(out == whole, "{rate} Hz, {channels} channels in pushes of {sizes:?}");
        }
    }
}

#[test]
fn mixes_channels_by_their_mean() {
    assert_eq!(convert(&[0.5, -0.25, 0.25, 0.25, 1.0], 16_000, 2), [0.125, 0.25]);
    for channels in [1, 2, 6, 8, 32] {
        let out = convert(&vec![0.5; 100 * usize::from(channels)], 16_000, channels);
        assert_eq!(out, vec![0.5; 100], "{channels} channels");
    }
}

#[test]
fn passes_16_khz_mono_bit_for_bit() {
    let input: Vec<f32> = (-32_768..32_768).map(|n| n as f32 / 32_768.0).collect();
    assert_eq!(convert(&input, 16_000, 1), input);
    assert_eq!(convert(&[3.5, -1e-40, -0.0], 16_000, 1), [3.5, -1e-40, -0.0]);
}

#[test]
fn refuses_what_is_not_finite_with_its_place() {
    let mut samples = vec![0.0; 16_000];
    samples[1234] = f32::NAN;
    let mut converter = Converter::new(16_000, 1).unwrap();
    let mut out = Vec::new();
    converter.push(&samples[..1000], &mut out).unwrap();
    let error = converter.push(&samples[1000..], &mut out).unwrap_err();
    assert_eq!(error.to_string(), "sample 1234 (0.077 s): expected a finite value, got NaN");
    assert_eq!(out.len(), 1234);

    samples[1234] = f32::NEG_INFINITY;
    let mut converter = Converter::new(8_000, 3).unwrap();
    converter.push(&samples[..1], &mut out).unwrap();
    let error = converter.push(&samples[1..], &mut out).unwrap_err();
    let text = "sample 411 of channel 2 of 3 (0.051 s): expected a finite value, got -inf";
    assert_eq!(error.to_string(), text);
}

#[test]
fn absurd_magnitudes_stay_finite() {
    for (rate, channels) in [(16_000, 32), (44_100, 2), (96_001, 1), (8_000, 1)] {
        let samples: Vec<f32> =
            (0..96_000).map(|n| if n / 64 % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
        let out = convert(&samples, rate, channels);
        assert!(out.iter().all(|x| x.is_finite() && x.abs() <= 4.0 * MAX_MAGNITUDE));
    }
}

#[test]
fn refuses_rates_and_channels_out_of_range_by_name() {
    let text = |rate, channels| Converter::new(rate, channels).err().unwrap().to_string();
    assert_eq!(text(999, 1), "sample rate: expected 1000 to 768000 Hz, got 999 Hz");
    assert_eq!(text(0, 1), "sample rate: expected 1000 to 768000 Hz, got 0 Hz");
    assert_eq!(text(768_001, 1), "sample rate: expected 1000 to 768000 Hz, got 768001 Hz");
    assert_eq!(text(16_000, 0), "channels: expected 1 to 32, got 0");
    assert_eq!(text(16_000, 33), "channels: expected 1 to 32, got 33");
}

#[test]
fn finish_ends_it() {
    let mut converter = Converter::new(44_100, 1).unwrap();
    let mut out = Vec::new();
    converter.push(&[0.1; 441], &mut out).unwrap();
    converter.finish(&mut out).unwrap();
    assert_eq!(out.len(), 160); // 10 ms
    converter.finish(&mut out).unwrap();
    assert_eq!(out.len(), 160);
    assert!(converter.push(&[0.1], &mut out).is_err());
}
