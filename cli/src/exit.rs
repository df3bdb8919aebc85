//! How a command ends: the exit codes, and the one place that writes to the standard streams.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use voiceflow::error::Tried;

use crate::flags::in_flags;

/// Shown by `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done (also when the reader of the output went away and nothing had failed)
  1    failed: a file cannot be read or written, a model breaks the contract, …
  2    usage: the arguments make no sense
  130  interrupted by Ctrl-C, as the shell reports it";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The arguments make no sense together or are out of range.
    Usage(String),
    /// The work failed.
    Failed(String),
    /// The work failed in part, and each failure was printed.
    Reported,
    /// Nobody reads the output any more, so there is nothing left to do.
    BrokenPipe,
}

/// What a command gives back.
pub type Outcome = Result<(), Failure>;

impl From<voiceflow::Error> for Failure {
    fn from(error: voiceflow::Error) -> Self {
        use voiceflow::Error::{InvalidArgument, Provider, RuntimeNotFound, RuntimeVersion};
        Failure::Failed(match error {
            InvalidArgument(argument) => in_flags(&argument),
            Provider(reason) => format!("--provider: {reason}"),
            RuntimeNotFound { tried } | RuntimeVersion { tried } => no_runtime(&tried),
            _ => error.to_string(),
        })
    }
}

/// The library's error about the runtime, in the words of the command line and with the way out
/// first.
fn no_runtime(tried: &[Tried]) -> String {
    let mut message =
        "no usable ONNX Runtime library was found; name one with --runtime FILE or VOICEFLOW_ORT_LIBRARY, \
                    or have `pip install onnxruntime` bring one, which is found while its environment is active. \
                    Places tried:"
            .to_owned();
    for place in tried {
        message.push_str("\n  ");
        match place.place.as_str() {
            "runtime_library" => message.push_str(&format!("--runtime: {}", place.reason)),
            _ => message.push_str(&place.to_string()),
        }
    }
    message
}

/// How a command ends: neither success with the other files nor a reader that went away undoes a
/// failure.
pub fn settled(outcome: Outcome, failed: bool) -> Outcome {
    match outcome {
        Ok(()) | Err(Failure::BrokenPipe) if failed => Err(Failure::Reported),
        outcome => outcome,
    }
}

/// Prints a failure and turns the outcome into the exit code.
pub fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Reported) => ExitCode::from(1),
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

/// Writes a result to standard output.
pub fn print(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
        Err(error) => Err(Failure::Failed(format!("standard output: {error}"))),
    }
}

/// Writes `voiceflow: <text>` to standard error, in one line.
pub fn complain(text: &str) {
    // With standard error closed there is nowhere left to print.
    let _ = writeln!(std::io::stderr().lock(), "voiceflow: {}", one_line(text));
}

/// Writes `voiceflow: warning: <text>` to standard error, in one line.
pub fn warn(text: &str) {
    complain(&format!("warning: {text}"));
}

/// A text of several lines as one: list items are set apart by semicolons.
pub fn one_line(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !joined.is_empty() {
            joined.push_str(if joined.ends_with([':', '.']) { " " } else { "; " });
        }
        joined.extend(line.chars().map(|c| if c.is_control() { '?' } else { c }));
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::{Tried, no_runtime, one_line};

    #[test]
    fn a_missing_runtime_starts_with_the_way_out() {
        let tried = |place: &str, reason: &str| Tried { place: place.to_owned(), reason: reason.to_owned() };
        assert_eq!(
            no_runtime(&[
                tried("runtime_library", "/a: no"),
                tried("b", "no"),
                tried("", "some passed over")
            ]),
            "no usable ONNX Runtime library was found; name one with --runtime FILE or VOICEFLOW_ORT_LIBRARY, \
             or have `pip install onnxruntime` bring one, which is found while its environment is active. \
             Places tried:\n  --runtime: /a: no\n  b: no\n  some passed over"
        );
    }

    #[test]
    fn lists_become_one_line() {
        assert_eq!(one_line("not found. Tried:\n  a: no\n  b\x1b[1m"), "not found. Tried: a: no; b?[1m");
    }
}
