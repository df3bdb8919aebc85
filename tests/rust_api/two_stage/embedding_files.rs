//! What an embedding file has to be, and what is said of one that is not.

use std::sync::Arc;

use voiceflow::{ClusteringMethod, Config, Diarizer, EmbeddingFamily, ModelSource};

use super::proto::{with_input_size, with_metadata, with_renamed};
use super::{bytes, config, diarize, diarizer, family, refusal, sound};
use crate::support;

/// The usual segmentation network with this embedding network.
fn load(embedding: Vec<u8>, set: impl FnOnce(&mut Config)) -> voiceflow::Result<Diarizer> {
    let mut config = config();
    config.set_segmentation_model(ModelSource::File(family("segmentation"))).unwrap();
    config.set_embedding_model(ModelSource::Memory(Arc::from(embedding))).unwrap();
    set(&mut config);
    Diarizer::new(&config)
}

/// A file of unfamiliar tensors that does not say what it is.
fn nameless(name: &str, input: &str, output: &str) -> Vec<u8> {
    let model = with_metadata(&bytes(name), "framework", None);
    with_renamed(&with_renamed(&model, input, "speech"), output, "speaker")
}

#[test]
fn every_family_diarizes() {
    let audio = sound::syllables(14);
    for (name, dim) in [
        ("wespeaker_resnet34", 16),
        ("wespeaker_ecapa", 16),
        ("campplus", 16),
        ("campplus_batch1", 16),
        ("eres2net", 12),
        ("eres2netv2", 8),
        ("titanet", 16),
        ("speakernet", 16),
    ] {
        let diarizer = diarizer(name, |_| {});
        assert_eq!(diarizer.model().embedding_dim, dim, "{name}");
        assert_eq!(diarizer.model().name, format!("segmentation + {name}"));
        assert_eq!(diarizer.clustering_method(), ClusteringMethod::Centroid);
        assert!(!diarize(&diarizer, &audio).speakers.is_empty(), "{name}");
    }
}

#[test]
fn a_fixed_batch_of_1_gives_what_an_open_one_gives() {
    // Weights are the same; runs of pooling parts are of one crop anyway.
    let audio = sound::syllables(14);
    let of = |name| diarize(&diarizer(name, |_| {}), &audio);
    let (fixed, open) = (of("campplus_batch1"), of("campplus"));
    assert_eq!((fixed.segments, fixed.speakers), (open.segments, open.speakers));
    for rows in [0, 1 << 40] {
        let text = refusal(
            bytes("segmentation"),
            with_input_size(&bytes("wespeaker_ecapa"), "feats", 0, rows),
            |_| {},
        );
        assert!(text.contains("expected a batch of 1 to 1024, found"), "{text}");
    }
}

#[test]
fn a_family_that_is_not_known_is_asked_for() {
    for (name, input, output, right) in [
        ("wespeaker_resnet34", "feats", "embs", EmbeddingFamily::WeSpeaker),
        ("campplus", "x", "embedding", EmbeddingFamily::ThreeDSpeaker),
    ] {
        let model = nameless(name, input, output);
        let text = refusal(bytes("segmentation"), model.clone(), |_| {});
        assert!(
            text.contains("metadata `framework`: expected wespeaker, 3d-speaker or nemo, found no such key"),
            "{text}"
        );
        assert!(text.contains("the option embedding_family supplies it"), "{text}");
        let told = load(model, |config| config.set_embedding_family(right)).unwrap();
        let audio = sound::syllables(14);
        assert_eq!(diarize(&told, &audio).segments, diarize(&diarizer(name, |_| {}), &audio).segments);
    }
    // The toolkit's names of tensors are enough, and lengths are NeMo's alone.
    for name in ["wespeaker_ecapa", "eres2net", "titanet"] {
        load(with_metadata(&bytes(name), "framework", None), |_| {}).unwrap();
    }
}

#[test]
fn wrong_metadata_is_named_with_the_key() {
    for (name, key, value, expected) in [
        (
            "campplus",
            "framework",
            "kaldi",
            "metadata `framework`: expected wespeaker, 3d-speaker or nemo, found \"kaldi\"",
        ),
        ("campplus", "sample_rate", "8000", "metadata `sample_rate`: expected 16000, found 8000"),
        (
            "campplus",
            "output_dim",
            "512",
            "metadata `output_dim`: expected what the network gives, 16, found 512",
        ),
        ("campplus", "normalize_samples", "2", "metadata `normalize_samples`: expected 0 or 1, found 2"),
        (
            "campplus",
            "feature_normalize_type",
            "\u{1}%s",
            "metadata `feature_normalize_type`: expected global-mean, per_feature or none, found \"\\u{1}%s\"",
        ),
        ("campplus", "window_size_ms", "60", "metadata window_size_ms: expected 1 to 32, got 60"),
        ("campplus", "window_size_ms", "-1e300", "metadata window_size_ms: expected 1 to 32, got 0"),
        ("titanet", "window_stride_ms", "NaN", "metadata `window_stride_ms`: expected 10, found 0"),
        ("titanet", "window_stride_ms", "20", "metadata `window_stride_ms`: expected 10, found 20"),
        (
            "campplus",
            "voiceflow.frontend",
            "mine",
            "metadata `voiceflow.frontend`: expected trained or sherpa, found \"mine\"",
        ),
        (
            "campplus",
            "voiceflow.tuning",
            "{\"clustering\": \"vbx\"}",
            "metadata `voiceflow.tuning`: clustering: expected average or centroid, found \"vbx\"",
        ),
        (
            "campplus",
            "voiceflow.tuning",
            "NaN",
            "metadata `voiceflow.tuning`: expected a JSON object, found \"NaN\"",
        ),
        ("campplus", "voiceflow.tuning", "{\"clustering_threshold\": -1}", "expected 0 to 2, found -1"),
    ] {
        let text = refusal(bytes("segmentation"), with_metadata(&bytes(name), key, Some(value)), |_| {});
        assert!(text.starts_with("model in memory: ") && text.contains(expected), "{key}={value}: {text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn a_size_of_features_that_nobody_computes_is_refused() {
    for bins in [0, 257, 1 << 40] {
        let model = with_input_size(&bytes("campplus"), "x", 2, bins);
        let text = refusal(bytes("segmentation"), model, |_| {});
        assert!(
            text.contains("expected 1 to 256 mel bins, found") || text.contains("not a valid ONNX"),
            "{text}"
        );
    }
}

#[test]
fn what_a_file_says_of_clustering_holds_unless_another_is_asked_for() {
    let text = r#"{"clustering": "average", "clustering_threshold": 0.25, "identity_threshold": 0.5, "trusted_s": 1}"#;
    let tuned = load(with_metadata(&bytes("campplus"), "voiceflow.tuning", Some(text)), |_| {}).unwrap();
    assert_eq!(tuned.clustering_method(), ClusteringMethod::Average);
    let thresholds = tuned.model().thresholds;
    assert_eq!((thresholds.clustering, thresholds.identity, tuned.tuning().trusted_s), (0.25, 0.5, 1.0));
}

#[test]
fn features_follow_the_frontend() {
    let audio = sound::syllables(14);
    let of = |model: Vec<u8>, set: fn(&mut Config)| {
        diarize(&load(model, set).unwrap(), &audio).speakers[0].embedding.clone()
    };
    let asked = of(bytes("campplus"), |config| config.set_frontend(voiceflow::Frontend::Sherpa));
    let said = of(with_metadata(&bytes("campplus"), "voiceflow.frontend", Some("sherpa")), |_| {});
    assert_eq!(asked, said);
    assert_ne!(asked, of(bytes("campplus"), |_| {}));
}

#[test]
fn other_models_are_refused_with_what_they_have() {
    let joint = std::fs::read(support::root().join("tests/data/models/good.onnx")).unwrap();
    for model in [bytes("segmentation"), bytes("segmentation_no_metadata"), joint] {
        let text = refusal(bytes("segmentation"), model.clone(), |_| {});
        assert!(text.contains("expected a speaker embedding network with features"), "{text}");
        for family in [EmbeddingFamily::WeSpeaker, EmbeddingFamily::Nemo] {
            let text =
                refusal(bytes("segmentation"), model.clone(), |config| config.set_embedding_family(family));
            assert!(text.starts_with("model in memory: "), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
    for (name, family) in [("titanet", EmbeddingFamily::WeSpeaker), ("campplus", EmbeddingFamily::Nemo)] {
        let text = refusal(bytes("segmentation"), bytes(name), |config| config.set_embedding_family(family));
        assert!(text.contains("expected a speaker embedding network of the family"), "{text}");
    }
}
