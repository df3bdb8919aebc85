//! Sound to run on.

/// Syllables of noise, a quarter of a second each, of changing colour and loudness, with pauses.
pub fn syllables(seconds: usize) -> Vec<f32> {
    let mut state = 7_u32;
    let mut before = 0.0;
    (0..seconds * 16_000)
        .map(|index| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let (syllable, at) = (index / 4000, (index % 4000) as f32 / 4000.0);
            let colour = [0.95, 0.5, -0.3, 0.8, 0.0][syllable % 5];
            before = colour * before + noise * (1.0 - f32::abs(colour));
            let loud = if syllable % 7 == 6 { 0.001 } else { 0.3 };
            before * loud * (std::f32::consts::PI * at).sin()
        })
        .collect()
}
