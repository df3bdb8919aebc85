//! Final segments: each once, by end, in time, and never changed.

use voiceflow::{Config, LiveSegment, Segment, Stream};

use super::{STEP, config, diarizer, finals, finish, push, read, stream};
use crate::sound::{at_rate, conversation, piece};

/// Between two looks at who talks, in seconds.
const GRID_S: f64 = 0.01;
/// For the rounding of times.
const ROUNDING_S: f64 = 1e-6;

/// Who talks at each point of the grid from 0 to `end_s`.
fn talkers<'a>(segments: impl Iterator<Item = &'a Segment> + Clone, end_s: f64) -> Vec<Vec<usize>> {
    let at = |point: usize| {
        let time_s = (point as f64 + 0.5) * GRID_S;
        let now = segments.clone().filter(|s| s.start_s <= time_s && time_s < s.end_s);
        let mut now: Vec<usize> = now.map(|segment| segment.speaker).collect();
        now.sort_unstable();
        now
    };
    (0..(end_s / GRID_S) as usize).map(at).collect()
}

/// What was told by the time that so many seconds were pushed.
struct Moment {
    pushed_s: f64,
    finals: usize,
    provisional: Vec<LiveSegment>,
}

/// Pushes `values` in steps of a live window each, and looks on.
fn watch(stream: &Stream, values: &[f32], step: usize) -> (Vec<Segment>, Vec<Moment>) {
    let (rate, _) = stream.format();
    let (mut all, mut moments, mut pushed) = (Vec::new(), Vec::new(), 0);
    for chunk in values.chunks(step) {
        push(stream, chunk);
        pushed += chunk.len();
        let told = read(stream);
        assert!(told.is_sorted_by_key(|live| !live.is_final), "{told:?}");
        all.extend(finals(&told));
        let provisional = told.into_iter().filter(|live| !live.is_final).collect();
        moments.push(Moment { pushed_s: pushed as f64 / f64::from(rate), finals: all.len(), provisional });
    }
    all.extend(finish(stream));
    (all, moments)
}

fn check(set: impl FnOnce(&mut Config), values: &[f32], rate: u32, step: usize) {
    let stream = Stream::new(diarizer(), &config(set), rate, 1).unwrap();
    let latency_s = stream.latency_s();
    let (all, moments) = watch(&stream, values, step);
    let step_s = step as f64 / f64::from(rate);
    assert!(all.len() > 3 && moments[moments.len() - 2].finals > 0);
    assert!(all.is_sorted_by(|a, b| a.end_s <= b.end_s), "{all:?}");
    let mut before = 0;
    for moment in &moments {
        // Nothing came later than it was said to.
        for segment in &all[before..moment.finals] {
            assert!(segment.end_s <= moment.pushed_s, "{segment:?} at {} s", moment.pushed_s);
            assert!(segment.end_s + latency_s + step_s >= moment.pushed_s - ROUNDING_S, "{segment:?}");
        }
        before = moment.finals;
        // What was told of the time before the latency is what is told of it in the end.
        let settled_s = (moment.pushed_s - latency_s).max(0.0);
        let told = all[..moment.finals].iter().chain(moment.provisional.iter().map(|live| &live.segment));
        assert_eq!(talkers(told, settled_s), talkers(all.iter(), settled_s), "at {} s", moment.pushed_s);
    }
    let received_s = values.len() as f64 / f64::from(rate);
    assert!(all.iter().all(|segment| segment.start_s < segment.end_s && segment.end_s <= received_s + 1e-4));
    for (index, segment) in all.iter().enumerate() {
        let same = |other: &&Segment| other.speaker == segment.speaker && other.end_s > segment.start_s;
        assert!(all[..index].iter().find(same).is_none(), "{segment:?}");
    }
}

#[test]
fn nothing_changes_once_the_latency_has_passed() {
    check(|_| {}, conversation(), 16_000, STEP);
    check(|config| config.set_latency(0.5).unwrap(), piece(0.0, 20.0), 16_000, STEP);
    check(|config| config.set_latency(5.0).unwrap(), piece(0.0, 20.0), 16_000, STEP);
}

#[test]
fn nor_with_pauses_to_be_filled_or_another_rate() {
    check(|config| config.set_min_silence(0.7).unwrap(), piece(0.0, 20.0), 16_000, STEP);
    let telephone = at_rate(piece(8.0, 20.0), 8_000);
    check(|_| {}, &telephone, 8_000, STEP / 2);
}

#[test]
fn what_is_not_final_reaches_the_newest_window() {
    let stream = stream(|_| {});
    let (_, moments) = watch(&stream, piece(0.0, 20.0), STEP);
    let newest = |moment: &&Moment| {
        let end_s = moment.pushed_s;
        moment.provisional.iter().any(|live| live.segment.end_s > end_s - 0.1)
    };
    // People talk most of the time.
    assert!(moments.iter().filter(newest).count() > moments.len() / 3);
}

#[test]
fn speakers_have_the_speech_of_their_final_segments() {
    let stream = stream(|_| {});
    let (all, _) = watch(&stream, piece(0.0, 30.0), STEP);
    let speakers = stream.speakers();
    assert_eq!(speakers.len(), stream.speaker_count());
    for (number, speaker) in speakers.iter().enumerate() {
        let own = all.iter().filter(|segment| segment.speaker == number);
        let speech_s: f64 = own.map(|segment| segment.end_s - segment.start_s).sum();
        assert!((speaker.speech_s - speech_s).abs() < 1e-6, "{number}: {} s", speaker.speech_s);
        assert_eq!(speaker.label, format!("SPEAKER_{number:02}"));
        assert_eq!(speaker.embedding.len(), diarizer().model().embedding_dim);
        let length: f32 = speaker.embedding.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-3);
        assert_eq!(stream.speaker(number).as_ref(), Some(speaker));
    }
    assert!(stream.speaker(speakers.len()).is_none());
    assert!(all.iter().all(|segment| segment.speaker < speakers.len()));
}
