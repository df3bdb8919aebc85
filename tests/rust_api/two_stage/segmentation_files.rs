//! What a segmentation file has to be, and what is said of one that is not.

use voiceflow::model::{ModelKind, Session, validate};
use voiceflow::{Diarizer, Error, ModelSource};

use super::proto::{with_input_size, with_metadata};
use super::{bytes, config, diarize, family, pair, refusal, sound};
use crate::support;

fn with(key: &str, value: &str) -> Vec<u8> {
    with_metadata(&bytes("segmentation"), key, Some(value))
}

#[test]
fn a_file_without_metadata_is_what_it_looks_like() {
    let result = |name: &str| {
        let diarizer = Diarizer::new(&pair(&family(name), &family("campplus"))).unwrap();
        assert_eq!(diarizer.model().window_samples, 160_000);
        assert_eq!((diarizer.model().frame_step_samples, diarizer.model().frame_offset_samples), (270, 495));
        assert_eq!(diarizer.model().max_speakers, 3);
        diarize(&diarizer, &sound::syllables(14))
    };
    let (with, without) = (result("segmentation"), result("segmentation_no_metadata"));
    assert_eq!((with.segments, with.speakers), (without.segments, without.speakers));
}

#[test]
fn contradicting_metadata_is_named_with_the_key() {
    for (key, value, expected) in [
        ("sample_rate", "8000", "metadata `sample_rate`: expected 16000, found 8000"),
        ("sample_rate", "many", "metadata `sample_rate`: expected a number, found \"many\""),
        ("window_size", "0", "metadata `window_size`: expected 1 to 960000 samples, found 0"),
        ("window_size", "99999999", "metadata `window_size`: expected 1 to 960000 samples, found 99999999"),
        ("window_size", "-1", "metadata `window_size`: expected a number, found \"-1\""),
        ("num_speakers", "4", "expected as many classes as the network gives, 7; they stand for 11"),
        ("num_speakers", "99", "powerset: expected 1 to 16 speakers"),
        ("powerset_max_classes", "3", "expected as many classes as the network gives, 7; they stand for 8"),
        (
            "receptive_field_shift",
            "300",
            "metadata `receptive_field_size`, `receptive_field_shift`: expected the 589 frames",
        ),
        (
            "receptive_field_shift",
            "0",
            "expected a field of 1 to 160000 samples and a step no larger, found 991 and 0",
        ),
        ("receptive_field_shift", "992", "and a step no larger, found 991 and 992"),
        ("receptive_field_size", "18446744073709551615", "found 18446744073709551615 and 270"),
    ] {
        let text = refusal(with(key, value), bytes("campplus"), |_| {});
        assert!(text.starts_with("model in memory: ") && text.contains(expected), "{key}={value}: {text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn a_window_too_short_for_the_network_is_the_files_fault() {
    let text = refusal(with("window_size", "100"), bytes("campplus"), |_| {});
    assert!(text.starts_with("model in memory: the network failed: "), "{text}");
}

#[test]
fn a_wrong_receptive_field_is_named_with_the_option() {
    for (size, step) in [(991, 300), (160_000, 160_000)] {
        let text = refusal(bytes("segmentation"), bytes("campplus"), |config| {
            config.set_segmentation_receptive_field(size, step).unwrap();
        });
        assert!(text.contains("option segmentation_receptive_field: expected the 589 frames"), "{text}");
        assert!(text.contains(&format!("of {size} samples, {step} apart")), "{text}");
    }
    // The option comes before the metadata.
    let mut right = pair(&family("segmentation_no_metadata"), &family("campplus"));
    right.set_segmentation_receptive_field(991, 270).unwrap();
    Diarizer::new(&right).unwrap();
}

#[test]
fn a_file_that_fixes_its_sizes_is_run_as_it_wants() {
    let usual = bytes("segmentation");
    let text = refusal(with_input_size(&usual, "x", 0, 1 << 40), bytes("campplus"), |_| {});
    assert!(text.contains("expected a batch of 1 to 1024, found 1099511627776"), "{text}");
    let text = refusal(with_input_size(&usual, "x", 2, 1 << 40), bytes("campplus"), |_| {});
    assert!(text.contains("last axis of the input: expected 1 to 960000 samples"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fixed.onnx");
    // Three rows, where the sound has two windows and more.
    std::fs::write(&path, with_input_size(&with_input_size(&usual, "x", 0, 3), "x", 2, 160_000)).unwrap();
    let fixed = Diarizer::new(&pair(&path, &family("campplus"))).unwrap();
    let open = Diarizer::new(&pair(&family("segmentation"), &family("campplus"))).unwrap();
    for seconds in [1, 14, 20] {
        let audio = sound::syllables(seconds);
        let spans = |diarizer| {
            diarize(diarizer, &audio).segments.iter().map(|s| (s.start_s, s.end_s)).collect::<Vec<_>>()
        };
        assert_eq!(spans(&fixed), spans(&open), "{seconds} s");
    }
}

#[test]
fn other_models_are_refused_with_what_they_have() {
    let joint = std::fs::read(support::root().join("tests/data/models/good.onnx")).unwrap();
    for model in [bytes("campplus"), bytes("titanet"), bytes("wespeaker_ecapa"), joint] {
        let text = refusal(model, bytes("campplus"), |_| {});
        assert!(
            text.contains("expected a segmentation network with one input float32 [batch, 1, samples]"),
            "{text}"
        );
        assert!(text.contains("found the inputs `"), "{text}");
    }
    let text = refusal(b"no model".to_vec(), bytes("campplus"), |_| {});
    assert!(text.contains("not a valid ONNX model"), "{text}");
}

#[test]
fn half_a_pair_is_refused_by_a_diarizer_and_a_pair_by_a_session() {
    let source = |name: &str| ModelSource::File(family(name));
    let mut half = config();
    half.set_segmentation_model(source("segmentation")).unwrap();
    let text = Diarizer::new(&half).unwrap_err().to_string();
    assert_eq!(text, "embedding_model: expected a model beside the segmentation model, got none");
    let error = Session::new(&half).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let text = "segmentation_model: expected not to be set for a session, which runs one joint model";
    assert_eq!(error.to_string(), text);
    let mut half = config();
    half.set_embedding_model(source("campplus")).unwrap();
    let text = Diarizer::new(&half).unwrap_err().to_string();
    assert_eq!(text, "segmentation_model: expected a model beside the embedding model, got none");
    assert!(Session::new(&half).is_err());
    assert!(
        half.set_embedding_model(ModelSource::Embedded)
            .unwrap_err()
            .to_string()
            .contains("embedding_model: ")
    );
}

#[test]
fn kinds_are_told_apart_whatever_the_options_hold() {
    let joint = support::root().join("tests/data/models/good.onnx");
    let mut paired = pair(&family("segmentation"), &family("campplus"));
    paired.set_slots(4).unwrap();
    for (path, kind) in [
        (joint, ModelKind::Joint),
        (family("segmentation"), ModelKind::Segmentation),
        (family("segmentation_no_metadata"), ModelKind::Segmentation),
        (family("campplus"), ModelKind::Embedding),
        (family("titanet"), ModelKind::Embedding),
    ] {
        for config in [&config(), &paired] {
            let report = validate(&ModelSource::File(path.clone()), config).unwrap();
            assert_eq!((report.kind, report.breaches), (kind, Vec::new()), "{}", path.display());
        }
    }
    let source = ModelSource::Memory(with("sample_rate", "8000").into());
    let report = validate(&source, &config()).unwrap();
    assert_eq!(report.kind, ModelKind::Segmentation);
    assert_eq!(report.breaches, ["model in memory: metadata `sample_rate`: expected 16000, found 8000"]);
}
