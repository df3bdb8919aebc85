//! How a command ends: the exit codes, and the one place that writes to the standard streams.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use serde_json::Value;

/// Shown by `--help`.
pub const AFTER_HELP: &str = "\
Examples:
  voiceflow-models --registry s3://models/voiceflow list
  voiceflow-models pull fast-cnn@stable
  voiceflow diarize --models \"$(voiceflow-models pull fast-cnn@stable)\" meeting.mp3
  voiceflow-models publish models/fast-cnn/1.0.1 --sign minisign.key
  voiceflow-models promote fast-cnn@1.0.1 stable --sign minisign.key

Exit codes:
  0    done (also when the reader of the output went away)
  1    failed: a file is not trusted, a registry cannot be reached, a gate refuses, …
  2    usage: the arguments make no sense";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The arguments make no sense together or are out of range.
    Usage(String),
    /// The work failed.
    Failed(String),
    /// Nobody reads the output any more, so there is nothing left to do.
    BrokenPipe,
}

/// What a command gives back.
pub type Outcome = Result<(), Failure>;

impl From<voiceflow_registry::Error> for Failure {
    fn from(error: voiceflow_registry::Error) -> Self {
        match error {
            voiceflow_registry::Error::Argument { .. } => Failure::Usage(error.to_string()),
            error => Failure::Failed(error.to_string()),
        }
    }
}

impl From<voiceflow::Error> for Failure {
    fn from(error: voiceflow::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}

/// Prints a failure and turns the outcome into the exit code.
pub fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => {
            complain(&text);
            ExitCode::from(1)
        }
        Err(Failure::Usage(text)) => {
            complain(&text);
            ExitCode::from(2)
        }
    }
}

/// Writes text to standard output.
pub fn print(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
        Err(error) => Err(Failure::Failed(format!("standard output: {error}"))),
    }
}

/// Writes a line of JSON to standard output.
pub fn print_json(value: &Value) -> Outcome {
    print(&format!("{value}\n"))
}

/// Writes `voiceflow-models: <text>` to standard error, in one line.
pub fn complain(text: &str) {
    // With standard error closed there is nowhere left to print.
    let _ = writeln!(std::io::stderr().lock(), "voiceflow-models: {}", one_line(text));
}

/// Writes `voiceflow-models: warning: <text>` to standard error, in one line.
pub fn warn(text: &str) {
    complain(&format!("warning: {text}"));
}

/// A text of several lines as one.
pub fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
