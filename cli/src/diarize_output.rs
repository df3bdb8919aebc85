//! Where and how `voiceflow diarize` writes its results.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use voiceflow::Diarization;
use voiceflow::output::json::{self, JsonOptions};
use voiceflow::output::{rttm, srt, vtt};

use crate::exit::Failure;
use crate::input::is_stdin;
use crate::table::{Align, Table};
use crate::timeline;

/// Width of the timeline where there is no terminal, in columns.
const DEFAULT_WIDTH: usize = 80;

/// Form of a result.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Format {
    /// A table of turns and a timeline
    Table,
    /// RTTM, a line for each turn
    Rttm,
    /// JSON: one object, or an array of them for several files
    Json,
    /// JSON Lines: one object on a line for each file
    Jsonl,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles, with the speakers as voices
    Vtt,
}

impl Format {
    /// Whether it is JSON, which has a place for voice embeddings.
    pub fn is_json(self) -> bool {
        matches!(self, Format::Json | Format::Jsonl)
    }

    /// The result of `recording` in this form; in JSON, with `embeddings` if they are wanted.
    ///
    /// # Errors
    /// [`voiceflow::Error::Memory`].
    pub fn render(
        self,
        diarization: &Diarization,
        recording: &str,
        embeddings: bool,
    ) -> voiceflow::Result<String> {
        match self {
            Format::Table => Ok(table(diarization)),
            Format::Rttm => rttm::write(diarization, recording),
            Format::Json | Format::Jsonl => {
                let one_line = self == Format::Jsonl;
                json::write(diarization, recording, JsonOptions { embeddings, one_line })
            }
            Format::Srt => srt::write(diarization),
            Format::Vtt => vtt::write(diarization),
        }
    }

    /// How files in this form end, and its name but for the table.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Table => "txt",
            Format::Rttm => "rttm",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
        }
    }
}

/// The turns as a table, then the timeline.
fn table(diarization: &Diarization) -> String {
    if diarization.segments.is_empty() {
        return "nobody speaks\n".to_owned();
    }
    let mut table = Table::new(&[
        ("start s", Align::Right),
        ("end s", Align::Right),
        ("duration s", Align::Right),
        ("speaker", Align::Left),
        ("confidence", Align::Right),
        ("overlap", Align::Left),
    ]);
    for segment in &diarization.segments {
        let label = diarization.speakers.get(segment.speaker).map_or("?", |speaker| speaker.label.as_str());
        table.row([
            format!("{:.3}", segment.start_s),
            format!("{:.3}", segment.end_s),
            format!("{:.3}", segment.end_s - segment.start_s),
            label.to_owned(),
            format!("{:.2}", segment.confidence),
            if segment.overlap { "*" } else { "" }.to_owned(),
        ]);
    }
    let width = terminal_size::terminal_size_of(std::io::stdout());
    let width = width.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    format!("{}\n{}", table.render(), timeline::render(diarization, width))
}

/// The file in `folder` that each of `inputs` is written to.
///
/// Refuses two inputs that would be written to one file, and a file that is itself in `inputs` or
/// `others`.
pub fn plan(
    folder: &Path,
    format: Format,
    inputs: &[PathBuf],
    others: &[PathBuf],
) -> Result<Vec<PathBuf>, Failure> {
    let read: Vec<PathBuf> =
        inputs.iter().chain(others).filter_map(|path| path.canonicalize().ok()).collect();
    let mut planned: Vec<PathBuf> = Vec::with_capacity(inputs.len());
    for input in inputs {
        let stem = input.file_stem().unwrap_or(input.as_os_str());
        let mut name = if is_stdin(input) { "stdin".into() } else { stem.to_owned() };
        name.push(".");
        name.push(format.extension());
        let output = folder.join(name);
        if let Some(other) =
            planned.iter().zip(inputs).find(|(path, _)| **path == output).map(|(_, other)| other)
        {
            return Err(Failure::Usage(format!(
                "{} and {} would both be written to {}",
                other.display(),
                input.display(),
                output.display()
            )));
        }
        if output.canonicalize().is_ok_and(|path| read.contains(&path)) {
            return Err(Failure::Usage(format!("{} would overwrite an input file", output.display())));
        }
        planned.push(output);
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_that_collide_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let refused =
            |inputs: &[PathBuf], others: &[PathBuf]| match plan(folder.path(), Format::Rttm, inputs, others)
                .unwrap_err()
            {
                Failure::Usage(text) => text,
                other => panic!("{other:?}"),
            };
        assert!(refused(&[path("a.wav"), path("x/a.mp3")], &[]).contains("would both be written to"));
        std::fs::write(path("a.rttm"), "").unwrap();
        assert!(refused(&[path("a.wav")], &[path("./a.rttm")]).contains("would overwrite an input file"));
        assert!(refused(&[path("a.rttm")], &[]).contains("would overwrite an input file"));
        let planned = plan(folder.path(), Format::Srt, &[path("a.b.wav"), path("a.wav")], &[]).ok().unwrap();
        assert_eq!(planned, [path("a.b.srt"), path("a.srt")]);
    }
}
