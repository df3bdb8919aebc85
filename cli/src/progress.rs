//! Work on one recording, with a progress bar where somebody looks at standard error.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use voiceflow::{Control, Stage};

use crate::annotations::stem;
use crate::exit::Failure;

/// Does `work` on `file` within `deadline`. Errors begin with the name of the file.
pub fn work_on<T>(
    file: &Path,
    deadline: Option<Duration>,
    work: impl FnOnce(&Control<'_>) -> voiceflow::Result<T>,
) -> Result<T, Failure> {
    let bar = if std::io::stderr().is_terminal() { progress_bar(file) } else { ProgressBar::hidden() };
    let report = |stage: Stage, fraction: f32| {
        bar.set_message(stage.to_string());
        bar.set_position((fraction * 1000.0) as u64);
        true
    };
    let control = Control::none().with_progress(&report).with_deadline(deadline);
    let result = work(&control);
    bar.finish_and_clear();
    result.map_err(|error| {
        let (prefix, text) = (format!("{}: ", file.display()), error.to_string());
        Failure::Failed(if text.starts_with(&prefix) { text } else { prefix + &text })
    })
}

fn progress_bar(file: &Path) -> ProgressBar {
    let bar = ProgressBar::new(1000).with_prefix(stem(file));
    match ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} % {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
