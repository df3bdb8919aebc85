//! Files with several audio tracks: each can be read by itself, and the one with speech is taken
//! where none is asked for.

use std::path::{Path, PathBuf};

use voiceflow::audio::{AudioSource, Channels, FileSource, Tracks};
use voiceflow::{Call, Config, Diarizer, Error, WarningCode};

use super::{compare, decode, ffmpeg, speech};

/// Files of these kinds with 8 s of a tone on the first audio track, beside a picture, and a
/// conversation on the second.
fn two_tracks(folder: &Path) -> Vec<PathBuf> {
    let talk = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/conversation.flac"));
    let kinds = [("tracks.mp4", "aac"), ("tracks.mkv", "libopus"), ("tracks.ts", "mp2")];
    let made = kinds.map(|(name, codec)| {
        let picture = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=8"];
        let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000:duration=8"];
        let input = ["-t", "8", "-i", talk.to_str().unwrap()];
        let coded = ["-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg2video", "-c:a", codec, name];
        ffmpeg::make(folder, &[&picture[..], &tone, &input, &coded].concat());
        folder.join(name)
    });
    made.to_vec()
}

fn read(mut source: impl AudioSource) -> Vec<f32> {
    let mut samples = Vec::new();
    while source.read(&mut samples).unwrap() > 0 {}
    samples
}

#[test]
fn each_track_is_read_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    for path in two_tracks(folder.path()) {
        let source = FileSource::open(&path).unwrap();
        let recording = source.recording().unwrap();
        assert_eq!((recording.tracks(), recording.default_track()), (2, 0), "{}", path.display());
        for track in [0, 1] {
            let mut part = recording.part(track, Channels::Mix, &Call::none()).unwrap();
            assert!(part.recording().is_none());
            let mut ours = Vec::new();
            while part.read(&mut ours).unwrap() > 0 {}
            let d = compare::compare(&ours, &ffmpeg::decode_track(&path, track, "anull").unwrap());
            assert!(d.longer_s.abs() < 0.03 && d.correlation > 0.97, "{} {track}: {d:?}", path.display());
        }
        let error = recording.part(2, Channels::Mix, &Call::none()).err().unwrap();
        let expected = "track: expected one of the 2 that there are, got number 3";
        assert!(error.to_string().ends_with(expected), "{error}");
        // What is taken by itself is the default one.
        let first = read(FileSource::open(&path).unwrap());
        assert_eq!(first, decode(&path).unwrap());
    }
}

#[test]
fn the_track_with_speech_is_taken_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.set_bundle("fast-cnn");
    let diarizer = Diarizer::new(&config).unwrap();
    let none = Call::none();
    for path in two_tracks(folder.path()) {
        let result = diarizer.process_file(&path, &none).unwrap();
        let [warning] = &result.warnings[..] else { panic!("{:?}", result.warnings) };
        let text = "audio track 2 of 2 is used: it has the most speech";
        assert_eq!((warning.code, &*warning.text), (WarningCode::ChosenTrack, text));
        let asked = diarizer.process_file(&path, &none.with_tracks(Tracks::Only(1))).unwrap();
        assert_eq!((&asked.segments, asked.warnings.len()), (&result.segments, 0));
        assert!(!asked.segments.is_empty());
        let tone = diarizer.process_file(&path, &none.with_tracks(Tracks::Only(0))).unwrap();
        assert_eq!(tone.segments, []);
        let all = diarizer.process_file(&path, &none.with_tracks(Tracks::All)).unwrap();
        assert_eq!(all.segments.len(), result.segments.len());
        assert!(all.speakers.iter().all(|speaker| speaker.label.starts_with("TRACK2_SPEAKER_0")));
        // Bytes and what is spooled are recordings too.
        let bytes = std::fs::read(&path).unwrap();
        let mut spooled = FileSource::from_reader("talk", &bytes[..], &none).unwrap();
        assert_eq!(diarizer.process(&mut spooled, &none).unwrap(), result);
        let voice = diarizer.voice_file(&path, &none.with_tracks(Tracks::All)).unwrap_err();
        assert!(matches!(voice, Error::InvalidArgument(_)), "{voice}");
    }
}

#[test]
fn a_track_that_cannot_be_decoded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let input = ["-i", speech().to_str().unwrap(), "-map", "0", "-map", "0"];
    let codecs = ["-c:a:0", "libopus", "-c:a:1", "ac3", "mixed.mkv"];
    ffmpeg::make(folder.path(), &[&input[..], &codecs].concat());
    let path = folder.path().join("mixed.mkv");
    let diarizer = Diarizer::new(&Config::default()).unwrap();
    let second = diarizer.process_file(&path, &Call::none().with_tracks(Tracks::Only(1))).unwrap_err();
    assert!(second.to_string().contains("AC-3"), "{second}");
    let all = diarizer.process_file(&path, &Call::none().with_tracks(Tracks::All)).unwrap();
    let [warning] = &all.warnings[..] else { panic!("{:?}", all.warnings) };
    assert!(warning.code == WarningCode::SkippedTrack && warning.text.contains("AC-3"), "{warning:?}");
}

#[test]
fn what_comes_live_is_of_the_default_track_which_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = &two_tracks(folder.path())[1];
    let source = FileSource::live("talk", std::fs::File::open(path).unwrap(), &Call::none()).unwrap();
    let [warning] = &source.warnings()[..] else { panic!("{:?}", source.warnings()) };
    assert_eq!(warning.code, WarningCode::ChosenTrack);
    assert!(warning.text.starts_with("audio track 1 of 2 is used"), "{}", warning.text);
    assert!(source.recording().is_none());
    let diarizer = Diarizer::new(&Config::default()).unwrap();
    let mut source = source;
    let error = diarizer.process(&mut source, &Call::none().with_tracks(Tracks::Only(1))).unwrap_err();
    let text = "call: tracks: expected none, as this audio cannot be read again";
    assert_eq!(error.to_string(), text);
}
