//! Who is enrolled, and what several recordings of one speaker make.

use voiceflow::Error;

use super::{gallery, model, names, voice};

#[test]
fn recordings_of_one_person_become_their_mean() {
    let mut gallery = gallery(&[]);
    gallery.enroll("ada", &voice([2.0, 0.0, 0.0], 30.0)).unwrap();
    gallery.enroll("ada", &voice([0.0, 0.5, 0.0], 40.0)).unwrap();
    let ada = &gallery.voices()[0];
    assert_eq!((ada.recordings, ada.speech_s), (2, 70.0));
    let expected = [0.6, 0.8, 0.0];
    assert!(ada.embedding.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{ada:?}");
    assert!((ada.agreement - 50.0 / 70.0).abs() < 1e-6, "{ada:?}");
}

#[test]
fn the_order_of_recordings_does_not_matter() {
    let recordings = [([0.9, 0.2, -0.1], 21.0), ([0.5, 0.5, 0.1], 4.5), ([0.7, -0.3, 0.4], 12.25)];
    let enrolled = |order: [usize; 3]| {
        let mut gallery = gallery(&[]);
        for (embedding, speech_s) in order.map(|index| recordings[index]) {
            gallery.enroll("ada", &voice(embedding, speech_s)).unwrap();
        }
        gallery.voices()[0].clone()
    };
    let expected = enrolled([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let found = enrolled(order);
        assert_eq!((found.recordings, found.speech_s), (3, 37.75));
        assert!((found.agreement - expected.agreement).abs() < 1e-6);
        let pairs = found.embedding.iter().zip(&expected.embedding);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
    }
}

#[test]
fn people_are_removed_by_name() {
    let mut gallery =
        gallery(&[("ada", [1.0, 0.0, 0.0]), ("ben", [0.0, 1.0, 0.0]), ("kim", [0.0, 0.0, 1.0])]);
    gallery.remove("ben").unwrap();
    assert_eq!(names(&gallery), ["ada", "kim"]);
    let error = gallery.remove("ben").unwrap_err();
    assert_eq!(error.to_string(), "name: expected one that is enrolled, got \"ben\"");
}

#[test]
fn people_are_renamed_in_their_place() {
    let mut gallery =
        gallery(&[("ada", [1.0, 0.0, 0.0]), ("ben", [0.0, 1.0, 0.0]), ("kim", [0.0, 0.0, 1.0])]);
    gallery.rename("ben", "Ben Adler").unwrap();
    gallery.rename("kim", "kim").unwrap();
    assert_eq!(names(&gallery), ["ada", "Ben Adler", "kim"]);
    assert_eq!(gallery.voice("Ben Adler").unwrap().embedding, [0.0, 1.0, 0.0]);
    assert!(gallery.voice("ben").is_none());
    for (name, new_name, expected) in [
        ("ben", "eve", "name: expected one that is enrolled, got \"ben\""),
        ("ada", "kim", "new_name: expected one that is not enrolled, got \"kim\""),
        (
            "ada",
            "SPEAKER_00",
            "name: expected another than those of unknown speakers (SPEAKER_00), got SPEAKER_00",
        ),
    ] {
        assert_eq!(gallery.rename(name, new_name).unwrap_err().to_string(), expected);
    }
    assert_eq!(names(&gallery), ["ada", "Ben Adler", "kim"]);
}

#[test]
fn names_that_would_not_be_told_apart_or_break_a_line_are_refused() {
    let mut gallery = gallery(&[]);
    for name in ["ada lovelace", "会議", "SPEAKER_", "SPEAKER_1st", &"x".repeat(256)] {
        gallery.enroll(name, &voice([1.0, 0.0, 0.0], 5.0)).unwrap();
    }
    for name in ["", " ada", "ada ", "a\nb", "a\0b", "SPEAKER_00", "SPEAKER_117", &"x".repeat(257)] {
        let error = gallery.enroll(name, &voice([1.0, 0.0, 0.0], 5.0)).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
        assert!(error.to_string().starts_with("name: expected "), "{error}");
    }
    assert_eq!(gallery.voices().len(), 5);
}

#[test]
fn what_is_no_voice_is_refused_and_changes_nothing() {
    let mut gallery = gallery(&[("ada", [1.0, 0.0, 0.0])]);
    let before = gallery.clone();
    for (embedding, speech_s, expected) in [
        (vec![1.0; 4], 5.0, "embedding: expected 3 values, got 4"),
        (vec![0.0; 3], 5.0, "embedding: expected a voice, got zeros"),
        (vec![1.0, 0.0, f32::INFINITY], 5.0, "embedding: expected finite values, got inf at index 2"),
        (vec![1.0; 3], 0.0, "speech_s: expected more than 0, got 0"),
        (vec![1.0; 3], f64::NAN, "speech_s: expected more than 0, got NaN"),
        (vec![-1.0, 0.0, 0.0], 10.0, "embedding: expected a voice like those of `ada`, got their opposite"),
    ] {
        let error = gallery.enroll("ada", &voiceflow::Voice { embedding, speech_s }).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(gallery, before);
}

#[test]
fn another_model_is_named_beside_the_gallerys() {
    let gallery = gallery(&[]);
    gallery.check_model(&model("renamed", 'a')).unwrap();
    let error = gallery.check_model(&model("other", 'b')).unwrap_err();
    assert!(matches!(error, Error::Gallery(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "model: expected that of the gallery, \"test\" 1.2.3 (sha256 aaaaaaaaaaaa…, 3 values), \
         got \"other\" 1.2.3 (sha256 bbbbbbbbbbbb…, 3 values)"
    );
    let mut longer = model("test", 'a');
    longer.embedding_dim = 4;
    assert!(gallery.check_model(&longer).is_err());
}
