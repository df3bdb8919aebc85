//! Recordings as people have them: of other kinds than WAV and FLAC, with several tracks, damaged.
//! ffmpeg makes them; scripts/install_tools.sh test installs it.

use std::path::Path;
use std::process::Command;

use crate::support::{CONVERSATION, failure, output, root, run};

/// Makes a file of the first 8 s of the conversation, and gives its path.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let path = folder.join(name).to_str().unwrap().to_owned();
    let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000:duration=8"];
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]).args(tone);
    let speech = ffmpeg.args(["-t", "8", "-i"]).arg(root().join(CONVERSATION));
    assert!(speech.args(arguments).arg(&path).status().expect("ffmpeg").success(), "{name}");
    path
}

fn turns(said: &str) -> usize {
    said.lines().filter(|line| line.starts_with("SPEAKER ")).count()
}

#[test]
fn every_kind_of_recording_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, codec| made(folder.path(), name, &["-map", "1", "-c:a", codec]);
    for (name, codec) in [
        ("browser.webm", "libopus"),
        ("voice_note.ogg", "libopus"),
        ("phone.m4a", "aac"),
        ("obs.mkv", "aac"),
        ("broadcast.ts", "mp2"),
        ("call.au", "pcm_mulaw"),
        ("call.wav", "g722"),
        ("studio.caf", "alac"),
        ("studio.aiff", "pcm_s24be"),
        ("long.w64", "pcm_s16le"),
    ] {
        let said = output(&["diarize", "--models", "fast-cnn", "--format", "rttm", &make(name, codec)]);
        assert!(turns(&said) > 0, "{name}: {said}");
    }
    let said = run(&["diarize", "--models", "fast-cnn", &make("phone.wma", "wmav2")]);
    let expected = "got Windows Media (ASF, WMA), which is not supported; 'ffmpeg -i FILE";
    assert!(failure(&said).contains(expected), "{said:?}");
}

#[test]
fn of_several_tracks_the_one_with_speech_is_used_or_the_one_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), "screen.mkv", &["-map", "0", "-map", "1", "-c:a", "aac"]);
    let with = |more: &[&str]| {
        run(&[&["diarize", "--models", "fast-cnn", "--format", "rttm"][..], more, &[&*path]].concat())
    };
    let usual = with(&[]);
    let warning = format!("voiceflow: warning: {path}: audio track 2 of 2 is used: it has the most speech\n");
    assert_eq!((usual.code, &*usual.err), (0, &*warning));
    assert!(turns(&usual.out) > 0, "{usual:?}");
    let second = with(&["--track", "2"]);
    assert_eq!((&*second.out, &*second.err), (&*usual.out, ""));
    assert_eq!(turns(&with(&["--track", "1"]).out), 0);
    let all = with(&["--track", "all"]);
    assert_eq!(turns(&all.out), turns(&usual.out));
    assert!(all.out.lines().all(|line| line.contains(" TRACK2_SPEAKER_0")), "{all:?}");
    let none = with(&["--track", "3"]);
    let expected = format!("{path}: track: expected one of the 2 that there are, got number 3");
    assert_eq!(failure(&none), expected);
    let wrong = with(&["--track", "first"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("expected auto, all, or a number from 1 to 32"),
        "{wrong:?}"
    );
    // In JSON the choice is a member of the result.
    let json = run(&["diarize", "--models", "fast-cnn", "--format", "json", &path]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["warnings"][0]["code"], "chosen_track");
}
