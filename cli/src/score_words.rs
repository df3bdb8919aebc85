//! `voiceflow score --words`: who says which word, compared with a reference.

use std::path::Path;

use voiceflow::score::word_error;
use voiceflow::transcript::read_diarized_json;
use voiceflow::{Error, files};

use crate::exit::{Failure, Outcome, print};
use crate::score::Format;
use crate::table::{Align, Table};

/// Most bytes of a transcript.
const MAX_BYTES: u64 = 256 << 20;

/// Scores the transcript in the file `hypothesis`.
pub fn run(reference: &Path, hypothesis: &Path, format: Format) -> Outcome {
    let error = word_error(&words(reference)?, &words(hypothesis)?)?;
    let (wder, wer) = (error.wder(), error.wer());
    let wrong = error.correct_wrong_speaker + error.substitutions_wrong_speaker;
    match format {
        Format::Json => {
            let mut members =
                serde_json::to_value(error).map_err(|error| Failure::Failed(error.to_string()))?;
            members["wder"] = wder.into();
            members["wer"] = wer.into();
            print(&format!("{members}\n"))
        }
        Format::Table => {
            let columns =
                ["WDER %", "wrong speaker", "correct", "substituted", "missing", "too many", "WER %"];
            let mut table = Table::new(&columns.map(|name| (name, Align::Right)));
            let percent = |rate: f64| format!("{:.2}", 100.0 * rate);
            let counts = [wrong, error.correct, error.substitutions, error.deletions, error.insertions];
            let [wrong, correct, substitutions, deletions, insertions] =
                counts.map(|count| count.to_string());
            table.row([percent(wder), wrong, correct, substitutions, deletions, insertions, percent(wer)]);
            print(&table.render())
        }
    }
}

fn words(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let named = |reason: String| Failure::Failed(format!("{}: {reason}", path.display()));
    let refuse = |reason: String| Error::Io { path: path.to_owned(), reason, source: None };
    let bytes = files::read(path, MAX_BYTES, refuse)?;
    let text = String::from_utf8(bytes).map_err(|error| named(format!("expected UTF-8, got {error}")))?;
    read_diarized_json(&text).map_err(|error| named(error.to_string()))
}
