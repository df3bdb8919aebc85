//! Noise that is the same on every run and in the Python scripts: what networks are tried with.

/// A linear congruential generator of numbers in [-1, 1), of a whole number of 2^-23 each.
pub(crate) struct Noise(u32);

impl Noise {
    /// The numbers after the state `seed`.
    pub(crate) fn new(seed: u32) -> Self {
        Noise(seed)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> f32 {
        // Multiplier and increment of Knuth and Lewis ("Numerical Recipes in C", section 7.1).
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}
