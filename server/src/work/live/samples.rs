//! Samples as they come in a message.

/// Interleaved samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 16-bit.
    I16(Vec<i16>),
    /// Floats, full scale ±1.
    F32(Vec<f32>),
}

impl Samples {
    /// How many there are, all channels counted.
    pub fn len(&self) -> usize {
        match self {
            Samples::I16(samples) => samples.len(),
            Samples::F32(samples) => samples.len(),
        }
    }

    /// Takes the first `count` out, or all there are.
    pub fn take_front(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        match self {
            Samples::I16(samples) => Samples::I16(samples.drain(..count).collect()),
            Samples::F32(samples) => Samples::F32(samples.drain(..count).collect()),
        }
    }
}
