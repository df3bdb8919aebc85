//! Channels and tracks: which are used, and what the result says of it.

use std::sync::Mutex;

use voiceflow::audio::{AudioSource, BufferSource, Channels, Recording, SAMPLE_RATE, Tracks};
use voiceflow::{Call, Diarization, Error, Stage, WarningCode};

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::conversation;

/// Frames of two channels.
fn stereo(left: &[f32], right: &[f32]) -> Vec<f32> {
    left.iter().zip(right).flat_map(|(left, right)| [*left, *right]).collect()
}

fn run(frames: &[f32], call: &Call<'_>) -> voiceflow::Result<Diarization> {
    diarizer(|_| {}).process(&mut BufferSource::from_f32(frames, SAMPLE_RATE, 2)?, call)
}

#[test]
fn a_channel_of_samples_is_chosen_and_inverted_ones_are_told() {
    let voice = conversation();
    let expected = diarize(&diarizer(|_| {}), voice);
    let silence = vec![0.0; voice.len()];
    let right = stereo(&silence, voice);
    let only = |channel| Call::none().with_channels(Channels::Only(channel));
    assert_eq!(run(&right, &only(1)).unwrap(), expected);
    assert_eq!(run(&right, &only(0)).unwrap().segments, []);
    let error = run(&right, &only(2)).unwrap_err();
    assert!(
        matches!(&error, Error::Audio(text) if text.contains("one of the 2 that there are, got number 3"))
    );
    let inverse: Vec<f32> = voice.iter().map(|sample| -sample).collect();
    let inverted = stereo(voice, &inverse);
    let told = run(&inverted, &Call::none()).unwrap();
    assert_eq!(told.speakers.len(), expected.speakers.len());
    let [warning] = &told.warnings[..] else { panic!("{:?}", told.warnings) };
    assert_eq!(warning.code, WarningCode::InvertedChannels);
    assert!(warning.time_s < 1.0, "{warning:?}");
    assert_eq!(run(&inverted, &only(0)).unwrap(), expected);
}

#[test]
fn separate_channels_have_their_own_speakers_and_progress_never_goes_back() {
    let voice = conversation();
    let expected = diarize(&diarizer(|_| {}), voice);
    let later: Vec<f32> = voice[voice.len() / 2..].iter().chain(&voice[..voice.len() / 2]).copied().collect();
    let reported = Mutex::new(Vec::new());
    let note = |stage: Stage, fraction: f32| reported.lock().unwrap().push((stage, fraction));
    let call = Call::none().with_channels(Channels::Separate).with_progress(&note);
    let whole = run(&stereo(voice, &later), &call).unwrap();
    let of = |prefix: &str| whole.speakers.iter().filter(|one| one.label.starts_with(prefix)).count();
    assert_eq!(of("CH1_SPEAKER_0"), expected.speakers.len());
    assert!(of("CH2_SPEAKER_0") > 0 && of("CH") == whole.speakers.len());
    let reported = reported.into_inner().unwrap();
    for stage in [Stage::Analysis, Stage::Clustering, Stage::Reconstruction] {
        let own = || reported.iter().filter(|(at, _)| *at == stage).map(|(_, fraction)| *fraction);
        assert!(
            own().is_sorted() && own().next_back() == Some(1.0),
            "{stage:?}: {:?}",
            own().collect::<Vec<_>>()
        );
    }
}

/// Tracks of samples.
struct Tape<'a> {
    tracks: Vec<&'a [f32]>,
    read: BufferSource<'a>,
}

impl<'a> Tape<'a> {
    fn new(tracks: Vec<&'a [f32]>) -> Self {
        let read = BufferSource::from_f32(tracks[0], SAMPLE_RATE, 1).unwrap();
        Self { tracks, read }
    }
}

impl AudioSource for Tape<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> voiceflow::Result<usize> {
        self.read.read(out)
    }

    fn len_hint(&self) -> Option<u64> {
        self.read.len_hint()
    }

    fn recording(&self) -> Option<&dyn Recording> {
        Some(self)
    }
}

impl Recording for Tape<'_> {
    fn tracks(&self) -> u16 {
        self.tracks.len() as u16
    }

    fn default_track(&self) -> u16 {
        0
    }

    fn part<'s>(
        &'s self,
        track: u16,
        channels: Channels,
        _: &Call<'s>,
    ) -> voiceflow::Result<Box<dyn AudioSource + 's>> {
        let samples = self.tracks[usize::from(track)];
        Ok(Box::new(BufferSource::from_f32(samples, SAMPLE_RATE, 1)?.with_channels(channels)?))
    }
}

#[test]
fn the_default_track_is_kept_where_it_has_speech() {
    let voice = conversation();
    let silence = vec![0.0; voice.len()];
    let tone: Vec<f32> = (0..voice.len()).map(|at| (at as f32 * 0.17).sin() * 0.3).collect();
    let quiet: Vec<f32> = voice.iter().map(|sample| sample * 0.1).collect();
    let diarizer = diarizer(|_| {});
    for (tracks, taken) in [
        (vec![&silence[..], &tone, voice], "audio track 3 of 3 is used: it has the most speech"),
        (vec![&quiet[..], voice], "audio track 1 of 2 is used: it is the default one"),
        (vec![&silence[..], &silence], "audio track 1 of 2 is used: it is the default one"),
        (vec![voice, &tone], "audio track 1 of 2 is used: it is the default one"),
    ] {
        let result = diarizer.process(&mut Tape::new(tracks), &Call::none()).unwrap();
        let [warning] = &result.warnings[..] else { panic!("{:?}", result.warnings) };
        assert_eq!((warning.code, &*warning.text), (WarningCode::ChosenTrack, taken));
    }
}

#[test]
fn all_tracks_become_one_result() {
    let voice = conversation();
    let diarizer = diarizer(|_| {});
    let expected = diarize(&diarizer, voice);
    let call = Call::none().with_tracks(Tracks::All);
    let whole = diarizer.process(&mut Tape::new(vec![voice, voice]), &call).unwrap();
    assert_eq!(whole.speakers.len(), 2 * expected.speakers.len());
    assert_eq!(whole.segments.len(), 2 * expected.segments.len());
    let own = |number: u32| {
        let prefix = format!("TRACK{number}_SPEAKER_0");
        let speakers = whole.speakers.iter().filter(|one| one.label.starts_with(&prefix));
        speakers.map(|one| one.speech_s).sum::<f64>()
    };
    let speech_s: f64 = expected.speakers.iter().map(|one| one.speech_s).sum();
    assert!((own(1) - speech_s).abs() < 1e-6 && (own(2) - speech_s).abs() < 1e-6);
}

#[test]
fn audio_that_is_read_once_has_no_parts() {
    struct Once;
    impl AudioSource for Once {
        fn read(&mut self, _: &mut Vec<f32>) -> voiceflow::Result<usize> {
            Ok(0)
        }
        fn len_hint(&self) -> Option<u64> {
            None
        }
    }
    let diarizer = diarizer(|_| {});
    assert_eq!(diarizer.process(&mut Once, &Call::none()).unwrap().segments, []);
    let call = Call::none().with_channels(Channels::Separate);
    let error = diarizer.process(&mut Once, &call).unwrap_err();
    let text = "call: channels: expected none, as this audio cannot be read again";
    assert_eq!(error.to_string(), text);
}
