//! Written forms of a diarization, and the readers of annotation files: text in, text out. Files
//! are only touched by the `read` functions.

pub mod json;
mod line;
pub mod rttm;
pub mod srt;
pub(crate) mod timestamp;
pub mod uem;
pub mod vtt;

/// Start and end in whole milliseconds, for the formats that hold no more. Both are rounded to the
/// nearest, so that turns which meet still meet; a turn that would vanish is given its one
/// millisecond.
pub(crate) fn milliseconds(start_s: f64, end_s: f64) -> (u64, u64) {
    // The cast sends negative times and NaN to 0.
    let [start, end] = [start_s, end_s].map(|seconds| (seconds * 1000.0).round() as u64);
    (start, end.max(start.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn turns_that_meet_still_meet_and_none_vanishes() {
        assert_eq!(milliseconds(0.0004, 1.2345), (0, 1235));
        assert_eq!(milliseconds(1.2345, 2.0), (1235, 2000));
        assert_eq!(milliseconds(5.0001, 5.0002), (5000, 5001));
        assert_eq!(milliseconds(-0.2, f64::NAN), (0, 1));
    }
}
