//! Work on one recording, with a progress bar if standard error is a terminal.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use voiceflow::{Call, Stage};

use crate::annotations::stem;
use crate::exit::Failure;

/// Shortest time and least share of a stage from which the rest of it is guessed.
const GUESS_AFTER: (Duration, f32) = (Duration::from_secs(1), 0.02);

/// A place among the files of a command.
#[derive(Clone, Copy)]
pub struct Place {
    /// From 0.
    pub index: usize,
    pub count: usize,
}

/// Does `work` on `file` within `deadline`. Errors begin with the name of the file.
pub fn work_on<T>(
    file: &Path,
    place: Place,
    deadline: Option<Duration>,
    work: impl FnOnce(&Call<'_>) -> voiceflow::Result<T>,
) -> Result<T, Failure> {
    let bar = if std::io::stderr().is_terminal() { progress_bar(file, place) } else { ProgressBar::hidden() };
    let began = Instant::now();
    let report = |stage: Stage, fraction: f32| {
        // All other stages together take a small part of this one's time.
        let left = if stage == Stage::Analysis { left(began.elapsed(), fraction) } else { None };
        let left = left.map(|left| format!(", {} left", HumanDuration(left))).unwrap_or_default();
        bar.set_message(format!("{stage}{left}"));
        bar.set_position((fraction * 1000.0) as u64);
    };
    let call = Call::none().with_progress(&report).with_deadline(deadline);
    let result = work(&call);
    bar.finish_and_clear();
    result.map_err(|error| {
        let (prefix, text) = (format!("{}: ", file.display()), error.to_string());
        Failure::Failed(if text.starts_with(&prefix) { text } else { prefix + &text })
    })
}

/// What is left of a stage of which `fraction` took `elapsed`; `None` as long as that says little.
fn left(elapsed: Duration, fraction: f32) -> Option<Duration> {
    let (least, share) = GUESS_AFTER;
    (elapsed >= least && fraction >= share).then(|| elapsed.mul_f32((1.0 - fraction).max(0.0) / fraction))
}

/// What stands before the bar: the file, and which of how many it is.
fn prefix(file: &Path, place: Place) -> String {
    let Place { index, count } = place;
    if count > 1 { format!("{} of {count}  {}", index + 1, stem(file)) } else { stem(file) }
}

fn progress_bar(file: &Path, place: Place) -> ProgressBar {
    let bar = ProgressBar::new(1000).with_prefix(prefix(file, place));
    match ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} % {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_guessed_once_there_is_something_to_go_by() {
        let second = Duration::from_secs(1);
        assert_eq!(left(second / 2, 0.5), None);
        assert_eq!(left(60 * second, 0.01), None);
        assert_eq!(left(30 * second, 0.75), Some(10 * second));
        assert_eq!(left(30 * second, 1.0), Some(Duration::ZERO));
    }

    #[test]
    fn files_are_counted_where_there_are_several() {
        let path = Path::new("calls/a.wav");
        assert_eq!(prefix(path, Place { index: 2, count: 20 }), "3 of 20  a");
        assert_eq!(prefix(path, Place { index: 0, count: 1 }), "a");
    }
}
