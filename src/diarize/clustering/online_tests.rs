//! People of a stream, by voices in the plane.

use super::*;

const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

fn options() -> OnlineOptions {
    OnlineOptions {
        new_threshold: 0.5,
        link_threshold: 0.4,
        max_speakers: 10,
        trusted_frames: 10,
        founding_frames: 30,
        remember_every: 1,
        memory: 100,
        hysteresis: HYSTERESIS,
    }
}

fn nobody_yet() -> OnlineClustering {
    OnlineClustering::new(options())
}

/// A window in which local speaker `s` talks alone for `talk[s].0` frames with the voice at
/// `talk[s].1` degrees.
fn window(talk: &[(usize, f32)]) -> LocalWindow {
    let mut activity = Array2::zeros((talk.iter().map(|talk| talk.0).sum(), talk.len()));
    let mut embedding = Array2::zeros((talk.len(), 2));
    let mut at = 0;
    for (local, &(length, degrees)) in talk.iter().enumerate() {
        activity.slice_mut(ndarray::s![at..at + length, local]).fill(1.0);
        at += length;
        let (sin, cos) = degrees.to_radians().sin_cos();
        embedding.row_mut(local).assign(&ndarray::array![cos, sin]);
    }
    LocalWindow { start_frame: 0, activity, embedding }
}

fn add(clustering: &mut OnlineClustering, window: &LocalWindow) -> Vec<Option<usize>> {
    clustering.add(window, &HYSTERESIS.talking(window)).unwrap()
}

fn add_talk(clustering: &mut OnlineClustering, talk: &[(usize, f32)]) -> Vec<Option<usize>> {
    add(clustering, &window(talk))
}

#[test]
fn people_keep_their_number_whatever_the_local_order() {
    for remember_every in [1, 2] {
        let mut clustering = OnlineClustering::new(OnlineOptions { remember_every, ..options() });
        assert_eq!(add_talk(&mut clustering, &[(30, 0.0), (30, 90.0)]), [Some(0), Some(1)]);
        assert_eq!(add_talk(&mut clustering, &[(30, 180.0)]), [Some(2)]);
        for turn in 0..12 {
            let off = turn as f32 - 6.0;
            let talk = [(20, 90.0 + off), (20, 180.0 - off), (20, off)];
            assert_eq!(add_talk(&mut clustering, &talk), [Some(1), Some(2), Some(0)], "{turn}");
            let talk = [(20, off), (20, 90.0 - off)];
            assert_eq!(add_talk(&mut clustering, &talk), [Some(0), Some(1)], "{turn}");
        }
        assert_eq!(clustering.speakers(), 3);
    }
}

#[test]
fn a_far_voice_is_somebody_new_only_with_enough_solo_speech() {
    let mut clustering = nobody_yet();
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(5, 90.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(9, 90.0)]), [Some(0)]);
    assert_eq!(clustering.speakers(), 1);
    assert_eq!(add_talk(&mut clustering, &[(10, 90.0)]), [Some(1)]);
    assert_eq!(clustering.speakers(), 2);
}

#[test]
fn the_first_voice_is_somebody_however_short() {
    let mut clustering = nobody_yet();
    assert_eq!(add_talk(&mut clustering, &[(2, 0.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 5.0)]), [Some(0)]);
}

#[test]
fn one_too_many_joins_the_nearest() {
    let mut clustering = OnlineClustering::new(OnlineOptions { max_speakers: 2, ..options() });
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 90.0)]), [Some(1)]);
    for _ in 0..5 {
        assert_eq!(add_talk(&mut clustering, &[(30, 150.0)]), [Some(1)]);
    }
    let crowd = add_talk(&mut clustering, &[(30, 0.0), (30, 90.0), (30, 180.0)]);
    assert_eq!(crowd.iter().flatten().count(), 2, "{crowd:?}");
    assert_eq!(clustering.speakers(), 2);
}

#[test]
fn two_local_speakers_are_two_people() {
    let mut clustering = nobody_yet();
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0)]), [Some(0)]);
    let both = add_talk(&mut clustering, &[(30, 1.0), (30, 2.0)]);
    assert!(both[0].is_some() && both[0] != both[1], "{both:?}");
    // Too little to be somebody else, and the only known speaker talks elsewhere in the window.
    assert_eq!(add_talk(&mut nobody_and(0.0), &[(30, 0.0), (3, 2.0)]), [Some(0), None]);
}

fn nobody_and(degrees: f32) -> OnlineClustering {
    let mut clustering = nobody_yet();
    add_talk(&mut clustering, &[(30, degrees)]);
    clustering
}

#[test]
fn who_turns_out_to_be_another_goes_away_and_the_older_number_stays() {
    let mut clustering = nobody_yet();
    assert_eq!(add_talk(&mut clustering, &[(60, 0.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 65.0)]), [Some(1)]);
    // The voice between the two links them.
    assert_eq!(add_talk(&mut clustering, &[(60, 32.0)]), [Some(0)]);
    for degrees in [65.0, 32.0, 32.0] {
        assert_eq!(add_talk(&mut clustering, &[(30, degrees)]), [Some(0)], "{degrees}");
    }
    // The number of who went away means nobody else.
    assert_eq!(add_talk(&mut clustering, &[(30, 180.0)]), [Some(2)]);
}

#[test]
fn who_turns_out_to_be_another_leaves_room_for_somebody_else() {
    let mut clustering =
        OnlineClustering::new(OnlineOptions { max_speakers: 2, remember_every: 2, ..options() });
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0)]), [Some(0)]);
    // Taken for somebody new in a window that is not remembered, and silent from then on.
    assert_eq!(add_talk(&mut clustering, &[(30, 100.0)]), [Some(1)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 2.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(40, 200.0)]), [Some(2)]);
    // Two clustering are known again: a third voice joins the nearest.
    assert_eq!(add_talk(&mut clustering, &[(40, 198.0)]), [Some(2)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 100.0)]).len(), 1);
    assert_eq!(clustering.speakers(), 3);
}

#[test]
fn who_is_absent_for_longer_than_the_memory_lasts_is_recognised() {
    let mut clustering = OnlineClustering::new(OnlineOptions { memory: 3, ..options() });
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0)]), [Some(0)]);
    for _ in 0..10 {
        assert_eq!(add_talk(&mut clustering, &[(30, 90.0)]), [Some(1)]);
    }
    for _ in 0..10 {
        add(&mut clustering, &silence());
    }
    assert_eq!(add_talk(&mut clustering, &[(30, 4.0)]), [Some(0)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 94.0)]), [Some(1)]);
    assert_eq!(clustering.speakers(), 2);
}

fn silence() -> LocalWindow {
    let (activity, embedding) = (Array2::zeros((30, 3)), Array2::zeros((3, 2)));
    LocalWindow { start_frame: 0, activity, embedding }
}

#[test]
fn who_is_known_from_elsewhere_keeps_the_number() {
    let voice = |degrees: f32| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        ndarray::array![cos, sin]
    };
    let mut clustering =
        OnlineClustering::knowing(options(), vec![Some(voice(0.0)), None, Some(voice(90.0))], Vec::new(), 2);
    assert_eq!([0, 1, 2, 3].map(|speaker| clustering.is_known(speaker)), [true, false, true, false]);
    assert_eq!(clustering.voice(1).unwrap().sum(), 0.0);
    assert_eq!(add_talk(&mut clustering, &[(30, 95.0)]), [Some(2)]);
    // Whoever comes new gets a new number, and who is silent for long is not forgotten.
    for _ in 0..10 {
        assert_eq!(add_talk(&mut clustering, &[(30, 200.0)]), [Some(3)]);
    }
    assert_eq!(add_talk(&mut clustering, &[(20, 4.0), (20, 88.0)]), [Some(0), Some(2)]);
    assert_eq!(clustering.speakers(), 4);
}

#[test]
fn who_says_too_little_to_last_takes_nobody_elses_place() {
    let mut clustering = OnlineClustering::new(OnlineOptions { max_speakers: 2, ..options() });
    let first = add_talk(&mut clustering, &[(30, 0.0), (2, 90.0)]);
    assert_eq!((first, clustering.speakers()), (vec![Some(0), None], 1));
    assert_eq!(add_talk(&mut clustering, &[(30, 180.0)]), [Some(1)]);
    assert_eq!(add_talk(&mut clustering, &[(30, 0.0), (30, 180.0)]), [Some(0), Some(1)]);
}

#[test]
fn nobody_talks_and_nobody_has_a_voice() {
    let mut clustering = nobody_yet();
    assert_eq!(add(&mut clustering, &silence()), [None, None, None]);
    for value in [0.0, f32::NAN, f32::INFINITY] {
        let mut voiceless = window(&[(30, 0.0), (20, 0.0)]);
        voiceless.embedding.fill(value);
        assert_eq!(add(&mut clustering, &voiceless), [None, None], "{value}");
    }
    assert_eq!(clustering.speakers(), 0);
    assert!(clustering.voice(0).is_none());
    // Once somebody is known, it is they who talk without a voice, unless they talk beside.
    add_talk(&mut clustering, &[(30, 0.0)]);
    let mut voiceless = window(&[(5, 0.0), (30, 0.0)]);
    voiceless.embedding.row_mut(0).fill(0.0);
    assert_eq!(add(&mut clustering, &voiceless), [None, Some(0)]);
    voiceless.embedding.fill(0.0);
    assert_eq!(add(&mut clustering, &voiceless).iter().flatten().count(), 1);
}

#[test]
fn a_voice_is_the_mean_of_what_is_remembered() {
    let mut clustering = nobody_yet();
    for degrees in [0.0, 20.0, 40.0] {
        assert_eq!(add_talk(&mut clustering, &[(30, degrees)]), [Some(0)]);
    }
    let voice = clustering.voice(0).unwrap();
    let degrees = voice[1].atan2(voice[0]).to_degrees();
    assert!((degrees - 20.0).abs() < 1.0 && (voice.dot(&voice) - 1.0).abs() < 1e-5, "{voice}");
}
