//! What outputs of a working model are, whatever they are of: what a smoke recording is checked by.

use ndarray::ArrayView1;

/// How far a probability may be off its range where it is the sum of others.
const ROUNDING: f32 = 1e-3;
/// How far from unit length a voice may be.
const UNIT_TOLERANCE: f32 = 1e-2;

/// What is wrong with activity: values outside 0 to 1, or not finite.
pub(crate) fn check_activity<'a>(values: impl IntoIterator<Item = &'a f32>) -> Result<(), String> {
    // NaN is in no range.
    let outside = |value: &&f32| !(-ROUNDING..=1.0 + ROUNDING).contains(*value);
    match values.into_iter().find(outside) {
        Some(value) => Err(format!("activity: expected 0 to 1, got {value}")),
        None => Ok(()),
    }
}

/// What is wrong with a voice, which is of unit length, or zeros of somebody without one.
pub(crate) fn check_voice(voice: ArrayView1<'_, f32>, dim: usize) -> Result<(), String> {
    let (found, length) = (voice.len(), voice.dot(&voice).sqrt());
    if found != dim {
        return Err(format!("embedding: expected {dim} values, got {found}"));
    }
    if length == 0.0 || (length - 1.0).abs() <= UNIT_TOLERANCE {
        return Ok(());
    }
    Err(format!("embedding: expected unit length or zeros, got the length {length}"))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_no_working_model_gives_is_named() {
        assert_eq!(check_activity(&[0.0, 1.0, 1.0005]), Ok(()));
        assert_eq!(check_activity(&[0.0, 1.5]).unwrap_err(), "activity: expected 0 to 1, got 1.5");
        assert!(check_activity(&[f32::NAN]).unwrap_err().ends_with("got NaN"));
        assert_eq!(check_voice(array![0.6, 0.8].view(), 2), Ok(()));
        assert_eq!(check_voice(array![0.0, 0.0].view(), 2), Ok(()));
        let text = check_voice(array![3.0, 4.0].view(), 2).unwrap_err();
        assert_eq!(text, "embedding: expected unit length or zeros, got the length 5");
        assert!(check_voice(array![f32::NAN, 0.0].view(), 2).unwrap_err().ends_with("length NaN"));
        assert!(check_voice(array![1.0].view(), 2).unwrap_err().ends_with("expected 2 values, got 1"));
    }
}
