//! What calls promise: their switch, deadline, progress, and what they refuse.

use super::*;

#[test]
fn the_switch_cancels_every_call_that_has_it_and_no_other() {
    let (cancel, other) = (Cancel::new(), Cancel::new());
    let (with, without) = (Call::none().with_cancel(&cancel), Call::none().with_cancel(&other));
    assert!(with.check(Stage::Analysis, 0.1).is_ok());
    cancel.clone().set();
    let error = with.check(Stage::Waiting, 0.1).unwrap_err();
    assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }));
    assert!(with.check_wanted(Stage::Analysis).is_err() && without.check(Stage::Analysis, 0.1).is_ok());
}

#[test]
fn a_child_is_set_with_its_parent_and_alone() {
    let parent = Cancel::new();
    let (child, other) = (parent.child(), parent.child());
    drop(parent.child());
    let grandchild = child.child();
    other.set();
    assert!(other.is_set() && !child.is_set() && !parent.is_set());
    parent.clone().set();
    assert!(child.is_set() && grandchild.is_set() && parent.child().is_set());
}

#[test]
fn a_long_line_of_children_is_set_to_its_end() {
    let parent = Cancel::new();
    let mut line = vec![parent.child()];
    for place in 0..200_000 {
        line.push(line[place].child());
    }
    parent.set();
    assert!(line.iter().all(Cancel::is_set));
}

#[test]
fn the_callback_reports_and_ends_the_call_by_its_switch() {
    let cancel = Cancel::new();
    let report = |_: Stage, fraction: f32| {
        if fraction >= 0.5 {
            cancel.set();
        }
    };
    let call = Call::none().with_progress(&report).with_cancel(&cancel);
    assert!(call.check(Stage::Analysis, 0.1).is_ok());
    let error = call.check(Stage::Clustering, 0.9).unwrap_err();
    assert_eq!(error.to_string(), "cancelled while clustering the speakers");
}

#[test]
fn work_done_again_reports_no_less_than_before() {
    let reported = Mutex::new(Vec::new());
    let note = |_: Stage, fraction: f32| reported.lock().unwrap().push(fraction);
    let call = Call::none().with_progress(&note).with_least_fraction(1.0);
    assert!(call.check(Stage::Analysis, 0.1).is_ok());
    assert_eq!(reported.into_inner().unwrap(), [1.0]);
}

#[test]
fn pieces_report_the_fractions_of_all_of_them() {
    let reported = Mutex::new(Vec::new());
    let note = |_: Stage, fraction: f32| reported.lock().unwrap().push(fraction);
    let call = Call::none().with_progress(&note);
    call.before().check(Stage::Analysis, 0.7).unwrap();
    for number in 0..2 {
        call.piece(number, 2).check(Stage::Analysis, 0.5).unwrap();
    }
    call.piece(1, 2).piece(1, 2).check(Stage::Analysis, 1.0).unwrap();
    assert_eq!(reported.into_inner().unwrap(), [0.0, 0.25, 0.75, 1.0]);
}

#[test]
fn a_passed_deadline_fails_with_its_length() {
    let call = Call::none().with_deadline(Duration::ZERO);
    let error = call.check(Stage::Analysis, 0.0).unwrap_err();
    assert_eq!(error.to_string(), "deadline of 0 ms passed while analysing the audio");
    assert!(Call::none().with_deadline(Duration::MAX).check(Stage::Analysis, 0.0).is_ok());
}

#[test]
fn speakers_asked_for_take_the_place_of_the_usual_ones() {
    let range = |call: Call<'_>| call.speaker_range(2..=4).map_err(|error| error.to_string());
    assert_eq!(range(Call::none()), Ok(2..=4));
    assert_eq!(range(Call::none().with_num_speakers(7)), Ok(7..=7));
    assert_eq!(range(Call::none().with_min_speakers(0)), Ok(0..=4));
    assert_eq!(range(Call::none().with_max_speakers(9)), Ok(2..=9));
    let refused = range(Call::none().with_max_speakers(1)).unwrap_err();
    assert_eq!(refused, "call: min_speakers: expected at most max_speakers (1), got 2");
    let refused = range(Call::none().with_num_speakers(0)).unwrap_err();
    assert_eq!(refused, "call: num_speakers: expected 1 to 100, got 0");
    let refused = range(Call::none().with_num_speakers(2).with_min_speakers(1)).unwrap_err();
    assert_eq!(refused, "call: num_speakers: expected without min_speakers and max_speakers, got both");
}

#[test]
fn what_a_call_has_no_use_for_is_refused_by_name() {
    assert!(Call::none().with_deadline(Duration::ZERO).without_result("a push").is_ok());
    let refused = |call: Call<'_>| call.without_result("a push").unwrap_err().to_string();
    assert_eq!(
        refused(Call::none().exclusive()),
        "call: exclusive: expected none, as a push has no use for it"
    );
    assert!(refused(Call::none().with_min_speakers(0)).starts_with("call: min_speakers: expected none"));
    let one = Call::none().with_channels(Channels::Only(1)).with_tracks(Tracks::Only(0));
    assert!(refused(one).starts_with("call: channels: expected none"));
    assert!(one.of_one_voice("an enrolment").is_ok() && one.of_windows().without_result("a window").is_ok());
    let all = Call::none().with_tracks(Tracks::All).of_one_voice("an enrolment").unwrap_err();
    assert_eq!(all.to_string(), "call: all tracks: expected none, as an enrolment has no use for it");
    assert!(Call::none().with_channels(Channels::Separate).of_one_voice("an enrolment").is_err());
    let asked = Call::none().with_num_speakers(2).with_max_speakers(2).exclusive();
    assert!(asked.without_result("a window").is_err());
    assert!(asked.of_windows().without_result("a window").is_ok());
}
