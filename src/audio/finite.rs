//! Looking for samples that are no numbers.

/// Samples looked at between two decisions to go on.
const BLOCK: usize = 1024;

/// Index of the first sample that is NaN or infinite.
pub(crate) fn first_not_finite(samples: &[f32]) -> Option<usize> {
    // Without a branch in it, the compiler looks at several samples at once.
    let is_finite = |block: &[f32]| block.iter().fold(true, |all, sample| all & sample.is_finite());
    let start = BLOCK * samples.chunks(BLOCK).position(|block| !is_finite(block))?;
    samples[start..].iter().position(|sample| !sample.is_finite()).map(|index| start + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_found_wherever_it_is() {
        let mut samples = vec![0.5_f32; 3 * BLOCK + 7];
        assert_eq!(first_not_finite(&samples), None);
        assert_eq!(first_not_finite(&[]), None);
        assert_eq!(first_not_finite(&[f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0, 1e-45]), None);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN] {
            for index in [3 * BLOCK + 6, 3 * BLOCK, 2 * BLOCK - 1, BLOCK, 1, 0] {
                samples[index] = bad;
                assert_eq!(first_not_finite(&samples), Some(index));
            }
            samples.fill(0.5);
        }
    }
}
