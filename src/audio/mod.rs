//! Audio: decoding, downmixing and resampling to 16 kHz mono.
