//! Who is taken for whom.

use voiceflow::model::ModelInfo;
use voiceflow::{Diarization, Error, Gallery, Identity, Speaker};

use super::{gallery, model, voice};

const ADA: [f32; 3] = [1.0, 0.0, 0.0];
const BEN: [f32; 3] = [0.0, 1.0, 0.0];

/// Names and scores with two decimals.
fn found(gallery: &Gallery, embeddings: &[[f32; 3]], threshold: f32) -> Vec<(String, f32)> {
    let embeddings: Vec<&[f32]> = embeddings.iter().map(<[f32; 3]>::as_slice).collect();
    let name = |identity: Identity| {
        let name = gallery.name_of(&identity).unwrap_or("-").to_owned();
        (name, (identity.score * 100.0).round() / 100.0)
    };
    gallery.identify_all(&embeddings, threshold).unwrap().into_iter().map(name).collect()
}

fn one(gallery: &Gallery, embedding: [f32; 3], threshold: f32) -> (String, f32) {
    found(gallery, &[embedding], threshold).remove(0)
}

#[test]
fn the_nearest_known_voice_from_the_threshold_on() {
    let gallery = gallery(&[("ada", ADA), ("ben", BEN)]);
    assert_eq!(one(&gallery, [8.0, 6.0, 0.0], 0.8), ("ada".into(), 0.8));
    assert_eq!(one(&gallery, [8.0, 6.0, 0.0], 0.81), ("-".into(), 0.8));
    assert_eq!(one(&gallery, [0.0, 0.0, 1.0], 0.5), ("-".into(), 0.0));
    assert_eq!(one(&gallery, [-1.0, -1.0, 0.0], -1.0), ("ada".into(), -0.71));
    let alone = gallery.identify(&BEN, 1.0).unwrap();
    assert_eq!(alone, Identity { voice: Some(1), score: 1.0 });
}

#[test]
fn nobody_is_known_and_nobody_speaks() {
    let empty = gallery(&[]);
    assert_eq!(one(&empty, ADA, -1.0), ("-".into(), -1.0));
    let gallery = gallery(&[("ada", ADA)]);
    assert_eq!(one(&gallery, [0.0; 3], -1.0), ("-".into(), -1.0));
    assert!(gallery.identify_all(&[], 0.5).unwrap().is_empty());
}

#[test]
fn two_speakers_are_never_the_same_person() {
    let gallery = gallery(&[("ada", ADA), ("ben", BEN)]);
    let (near, nearer) = ([0.9, 0.3, 0.0], [0.95, 0.0, 0.1]);
    // Both are nearest to ada; ben is too far from the one who is left.
    assert_eq!(found(&gallery, &[near, nearer], 0.5), [("-".into(), 0.95), ("ada".into(), 0.99)]);
    assert_eq!(found(&gallery, &[nearer, near], 0.5), [("ada".into(), 0.99), ("-".into(), 0.95)]);
    assert_eq!(found(&gallery, &[near, nearer], 0.3), [("ben".into(), 0.32), ("ada".into(), 0.99)]);
    let three = found(&gallery, &[near, nearer, ADA], -1.0);
    assert_eq!(three.iter().filter(|(name, _)| name == "-").count(), 1, "{three:?}");
}

#[test]
fn a_good_match_is_not_given_up_for_two_poor_ones() {
    let gallery = gallery(&[("ada", ADA), ("ben", BEN)]);
    let (clear, poor) = ([0.85, 0.53, 0.0], [0.55, -0.2, 0.8]);
    assert_eq!(found(&gallery, &[clear, poor], 0.5), [("ada".into(), 0.85), ("-".into(), 0.55)]);
}

#[test]
fn the_order_of_enrolment_does_not_matter() {
    let people = [("ada", ADA), ("ben", BEN), ("kim", [0.0, 0.6, 0.8])];
    let speakers = [[0.1, 0.7, 0.7], [0.9, 0.1, 0.1], [0.0, 0.9, -0.1], [-0.5, -0.5, -0.5]];
    let expected = found(&gallery(&people), &speakers, 0.4);
    for turned in 1..people.len() {
        let mut people = people;
        people.rotate_left(turned);
        assert_eq!(found(&gallery(&people), &speakers, 0.4), expected);
    }
}

#[test]
fn known_speakers_of_a_diarization_are_called_by_their_names() {
    let gallery = gallery(&[("ada", ADA), ("ben", BEN)]);
    let speaker = |label: &str, embedding: [f32; 3]| Speaker {
        label: label.to_owned(),
        speech_s: 1.0,
        embedding: embedding.to_vec(),
    };
    let speakers = vec![speaker("SPEAKER_00", [0.0, 0.0, 1.0]), speaker("SPEAKER_01", BEN)];
    let mut diarization = Diarization { speakers, ..Diarization::default() };
    let identities = gallery.name_speakers(&mut diarization, 0.5).unwrap();
    assert_eq!(identities, gallery.identify_speakers(&diarization, 0.5).unwrap());
    let labels: Vec<&str> = diarization.speakers.iter().map(|speaker| speaker.label.as_str()).collect();
    assert_eq!(labels, ["SPEAKER_00", "ben"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let gallery = gallery(&[("ada", ADA)]);
    for (embedding, threshold, expected) in [
        (&[1.0, 0.0][..], 0.5, "embedding: expected 3 values, got 2"),
        (&[1.0, f32::NAN, 0.0], 0.5, "embedding: expected finite values, got NaN at index 1"),
        (&ADA, 1.5, "threshold: expected -1 to 1, got 1.5"),
        (&ADA, f32::NAN, "threshold: expected -1 to 1, got NaN"),
    ] {
        let error = gallery.identify(embedding, threshold).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
}

/// A model with a name for its voice space.
fn of_space(name: &str, digit: char, space: &str) -> ModelInfo {
    ModelInfo { voice_space: space.to_owned(), ..model(name, digit) }
}

#[test]
fn models_of_one_voice_space_share_galleries() {
    let (first, second) = (of_space("first", 'a', "family"), of_space("second", 'b', "family"));
    let mut gallery = Gallery::new(&first);
    gallery.enroll("ada", &voice([1.0, 0.0, 0.0], 5.0)).unwrap();
    gallery.check_model(&second).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.json");
    gallery.save(&path).unwrap();
    assert_eq!(Gallery::load(&path, &second).unwrap().names().collect::<Vec<_>>(), ["ada"]);
    for other in [of_space("third", 'c', "others"), of_space("third", 'c', ""), model("third", 'c')] {
        assert!(Gallery::load(&path, &other).is_err());
    }
    // A file says which it is even where nobody named its voice space.
    gallery.check_model(&model("first", 'a')).unwrap();
}

#[test]
fn a_result_of_another_voice_space_is_refused() {
    let mut gallery = Gallery::new(&of_space("first", 'a', "family"));
    gallery.enroll("ada", &voice([1.0, 0.0, 0.0], 5.0)).unwrap();
    let speaker = Speaker { label: "SPEAKER_00".to_owned(), speech_s: 1.0, embedding: vec![1.0, 0.0, 0.0] };
    let result =
        |voice_space| Diarization { speakers: vec![speaker.clone()], voice_space, ..Diarization::default() };
    for known in [None, Some(of_space("second", 'b', "family").voices()), Some(model("first", 'a').voices())]
    {
        assert_eq!(gallery.identify_speakers(&result(known), 0.5).unwrap()[0].voice, Some(0));
    }
    let other = result(Some(model("third", 'c').voices()));
    let error = gallery.identify_speakers(&other, 0.5).unwrap_err();
    assert!(matches!(error, Error::Gallery(_)));
    assert_eq!(
        error.to_string(),
        "voice space: expected that of the gallery, \"family\" (sha256 aaaaaaaaaaaa…), got that of the model with \
         sha256 cccccccccccc…"
    );
}
