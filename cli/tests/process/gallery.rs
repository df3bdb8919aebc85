//! `voiceflow enroll`, `voiceflow identify` and `voiceflow diarize --gallery`, from one process to
//! the next.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use voiceflow::audio::{AudioSource, FileSource, SAMPLE_RATE};
use voiceflow::output::rttm;

use crate::pipes::shell;
use crate::support::{CONVERSATION, Said, failure, output, root, run, write_wav};

/// A folder with a WAV file of what each speaker says in the first half of the conversation, and a
/// gallery of all.
struct Team {
    folder: TempDir,
    gallery: String,
}

impl Team {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gallery = folder.path().join("team.json").to_str().unwrap().to_owned();
        let team = Self { folder, gallery };
        for speaker in ["ada", "ben", "kim"] {
            write_wav(&team.path(speaker), &said(speaker));
        }
        team
    }

    fn path(&self, speaker: &str) -> PathBuf {
        self.folder.path().join(format!("{speaker}.wav"))
    }

    fn enroll(&self, name: &str, files: &[&Path]) -> Said {
        let mut arguments = vec!["enroll", "--gallery", &self.gallery, name];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        run(&arguments)
    }

    /// Enrolls speakers by their own recordings.
    fn enrolled(self, speakers: &[&str]) -> Self {
        for speaker in speakers {
            let said = self.enroll(speaker, &[&self.path(speaker)]);
            assert_eq!((said.code, said.err.as_str()), (0, ""));
            assert!(said.out.starts_with(&format!("{speaker}: 1 recording, ")), "{said:?}");
        }
        self
    }

    fn list(&self) -> Vec<String> {
        let text = output(&["enroll", "--gallery", &self.gallery, "--list"]);
        text.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

/// The turns of a speaker in the first 28 s of the conversation, one after the other.
fn said(speaker: &str) -> Vec<f32> {
    let (mut source, mut samples) = (FileSource::open(root().join(CONVERSATION)).unwrap(), Vec::new());
    while source.read(&mut samples).unwrap() > 0 {}
    let place = |seconds: f64| ((seconds * f64::from(SAMPLE_RATE)) as usize).min(samples.len());
    let reference = rttm::read(root().join(CONVERSATION.replace(".flac", ".rttm"))).unwrap();
    let turns = reference["conversation"].iter();
    turns
        .filter(|turn| turn.speaker == speaker && turn.end_s < 28.0)
        .flat_map(|turn| &samples[place(turn.start_s)..place(turn.end_s)])
        .copied()
        .collect()
}

#[test]
fn speakers_are_added_listed_and_removed() {
    let team = Team::new().enrolled(&["ada", "ben"]);
    assert_eq!(team.list(), ["name recordings", "ada 1", "ben 1"]);
    let again = team.enroll("ada", &[&team.path("ada"), &team.path("ada")]);
    assert!(again.out.starts_with("ada: 3 recordings, "), "{again:?}");
    assert_eq!(output(&["enroll", "--gallery", &team.gallery, "--remove", "ben"]), "");
    assert_eq!(team.list(), ["name recordings", "ada 3"]);
    let said = run(&["enroll", "--gallery", &team.gallery, "--remove", "ben"]);
    let expected = format!("{}: name: expected one that is enrolled, got \"ben\"", team.gallery);
    assert_eq!(failure(&said), expected);
}

#[test]
fn a_recording_that_is_refused_leaves_the_gallery_as_it_was() {
    let team = Team::new().enrolled(&["ada"]);
    let before = std::fs::read(&team.gallery).unwrap();
    let said = team.enroll("ben", &[&team.path("ben"), &root().join(CONVERSATION), Path::new("nowhere.wav")]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines[0].contains("conversation.flac: expected one speaker, found 3 with "), "{lines:?}");
    assert_eq!(lines[1..], ["voiceflow: nowhere.wav: no such file"]);
    assert_eq!(std::fs::read(&team.gallery).unwrap(), before);
}

#[test]
fn known_speakers_have_their_names_in_every_format() {
    let team = Team::new().enrolled(&["ada", "kim"]);
    let plain = output(&["diarize", "--format", "rttm", CONVERSATION]);
    let named =
        |format: &str| output(&["diarize", "--gallery", &team.gallery, "--format", format, CONVERSATION]);
    let expected = plain.replace("SPEAKER_00", "ada").replace("SPEAKER_02", "kim");
    assert_eq!(named("rttm"), expected);
    for format in ["table", "json", "srt"] {
        let text = named(format);
        let has = |name: &str| text.contains(name);
        assert!(has("ada") && has("kim") && has("SPEAKER_01"), "{text}");
        assert!(!has("SPEAKER_00") && !has("SPEAKER_02"), "{text}");
    }
    let all = ["diarize", "--gallery", &team.gallery, "--threshold", "1", "--format", "rttm", CONVERSATION];
    assert_eq!(output(&all), plain);
}

#[test]
fn strangers_are_not_taken_for_enrolled_speakers() {
    let team = Team::new().enrolled(&["ben"]);
    let (ada, ben) = (team.path("ada"), team.path("ben"));
    let files = [CONVERSATION, ada.to_str().unwrap(), "nowhere.wav", ben.to_str().unwrap()];
    let said = run(&[&["identify", "--gallery", &team.gallery], &files[..]].concat());
    assert_eq!((said.code, said.err.as_str()), (1, "voiceflow: nowhere.wav: no such file\n"));
    let rows: Vec<String> =
        said.out.lines().map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "recording speaker name",
        "conversation SPEAKER_00 stranger",
        "conversation SPEAKER_01 ben",
        "conversation SPEAKER_02 stranger",
        "ada SPEAKER_00 stranger",
        "ben SPEAKER_00 ben",
    ];
    assert_eq!(rows, expected, "{}", said.out);

    let of = |format: &str| {
        output(&["identify", "--gallery", &team.gallery, "--format", format, files[0], files[3]])
    };
    let lines: Vec<Value> = of("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(serde_json::from_str::<Value>(&of("json")).unwrap(), Value::from(lines.clone()));
    assert_eq!((&lines[0]["recording"], &lines[1]["recording"]), (&"conversation".into(), &"ben".into()));
    let speakers = lines[0]["speakers"].as_array().unwrap();
    assert_eq!(speakers.iter().map(|speaker| &speaker["name"]).filter(|name| name.is_null()).count(), 2);
    assert!(speakers[0]["score"].as_f64().unwrap() < speakers[1]["score"].as_f64().unwrap());
    assert!(speakers[1]["speech_s"].as_f64().unwrap() > 10.0);
}

#[test]
fn the_gallery_of_another_model_and_no_gallery_are_named() {
    let team = Team::new().enrolled(&["ben"]);
    let model = ["--model", "tests/data/models/good.onnx"];
    for command in [["identify", CONVERSATION], ["diarize", CONVERSATION], ["enroll", "kim"]] {
        let mut arguments = command.to_vec();
        arguments.extend(["--gallery", &team.gallery]);
        arguments.extend(model);
        if command[0] == "enroll" {
            arguments.push(CONVERSATION);
        }
        let said = run(&arguments);
        let line = failure(&said);
        let start = format!("{}: model: expected that of the gallery, \"fast-cnn\" ", team.gallery);
        assert!(line.starts_with(&start) && line.contains(", got \""), "{line}");
    }
    let said = run(&["identify", "--gallery", "nowhere.json", CONVERSATION]);
    assert_eq!(failure(&said), "nowhere.json: no such file");
    let said = run(&["enroll", "--gallery", CONVERSATION, "--list"]);
    assert!(failure(&said).starts_with(&format!("{CONVERSATION}: expected a gallery as JSON")), "{said:?}");
}

#[test]
fn a_result_does_not_take_the_place_of_the_gallery() {
    let team = Team::new().enrolled(&["ben"]);
    let folder = team.folder.path().to_str().unwrap();
    let recording = team.folder.path().join("team.wav");
    std::fs::copy(team.path("ben"), &recording).unwrap();
    let recording = recording.to_str().unwrap();
    let said =
        run(&["diarize", "--gallery", &team.gallery, "--format", "json", "--output", folder, recording]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("team.json would overwrite an input file"), "{said:?}");
}

#[test]
fn speakers_are_enrolled_and_identified_from_pipes() {
    let team = Team::new();
    let (recording, gallery) = (team.path("ada"), &team.gallery);
    let said = shell(&format!(r#"cat {} | "$0" enroll --gallery {gallery} ada -"#, recording.display()));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let said = shell(&format!(r#"cat {CONVERSATION} | "$0" identify --gallery {gallery} -"#));
    assert!(said.code == 0 && said.out.contains("stdin") && said.out.contains("ada"), "{said:?}");
}
