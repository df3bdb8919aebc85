//! The pair of public models that `make test-rust` builds, segmentation-3.0 and the GE2E encoder,
//! diarizes real conversations at least as well as a plain Python pipeline of the same two.

use std::path::{Path, PathBuf};

use crate::support::{root, runtime_library, skipped};
use voiceflow::model::{ModelKind, validate};
use voiceflow::output::rttm;
use voiceflow::score::{ScoreOptions, score};
use voiceflow::{Call, Config, Diarization, Diarizer, ModelSource};

/// Part of the data, how the names of its recordings begin, and the DER of the Python pipeline,
/// measured on these by those who made them: 10 s windows with a hop of 1 s, average linkage,
/// collar 0, overlap scored. The telephone calls of `tune` were not measured.
const REFERENCE_DER: [(&str, &str, f64); 2] = [("tune", "ami_", 0.224), ("test", "", 0.306)];

/// Largest DER of the shipped conversation; 8.2 % was measured.
const CONVERSATION_DER: f64 = 0.1;

fn public(name: &str) -> PathBuf {
    let path = root().join(".models").join(name);
    assert!(path.is_file(), "{}: not there; run `make .models/public/metadata.json`", path.display());
    path
}

fn diarizer(segmentation: &str) -> Diarizer {
    let mut config = Config::default();
    config.set_runtime_library(runtime_library());
    config.set_segmentation_model(ModelSource::File(public(segmentation))).unwrap();
    config.set_embedding_model(ModelSource::File(public("public/embedding.onnx"))).unwrap();
    Diarizer::new(&config).unwrap()
}

/// Seconds in error and of reference speech.
fn errors(diarization: &Diarization, reference: &Path) -> (f64, f64) {
    let reference = rttm::read(reference).unwrap().into_values().next().unwrap();
    let whole = [(0.0, diarization.duration_s)];
    let found = score(&reference, &diarization.turns(), Some(&whole), &ScoreOptions::default()).unwrap();
    (found.der() * found.reference_s, found.reference_s)
}

#[test]
fn real_conversations_are_diarized_as_well_as_by_the_reference_pipeline() {
    let data =
        std::env::var_os("VOICEFLOW_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let diarizer = diarizer("public/segmentation.onnx");
    for (part, begin, reference) in REFERENCE_DER {
        let Ok(folder) = std::fs::read_dir(data.join("eval").join(part)) else {
            skipped(&format!("the DER of {part}, {begin}*, which is not in {}", data.display()));
            continue;
        };
        let (mut wrong, mut total) = (0.0, 0.0);
        let files = folder.map(|entry| entry.unwrap()).filter(|entry| {
            let name = entry.file_name().into_string().unwrap();
            name.starts_with(begin) && name.ends_with(".flac")
        });
        for file in files.map(|entry| entry.path()) {
            let diarization = diarizer.process_file(&file, &Call::none()).unwrap();
            let (errors, speech) = errors(&diarization, &file.with_extension("rttm"));
            (wrong, total) = (wrong + errors, total + speech);
        }
        let der = wrong / total;
        assert!(der <= reference, "{part}: expected a DER of at most {reference}, found {der:.4}");
    }
}

#[test]
fn the_shipped_conversation_is_diarized() {
    let conversation = root().join("examples/data/conversation.flac");
    let with_metadata =
        diarizer("public/segmentation.onnx").process_file(&conversation, &Call::none()).unwrap();
    let (wrong, speech) = errors(&with_metadata, &conversation.with_extension("rttm"));
    assert!(wrong / speech < CONVERSATION_DER, "DER {}", wrong / speech);
    // The file as its authors export it says nothing of itself.
    let as_published = diarizer("segmentation-3.0.onnx").process_file(&conversation, &Call::none()).unwrap();
    // Of the result, only the model that it names is another.
    assert_eq!(as_published.segments, with_metadata.segments);
    assert_eq!(as_published.speakers, with_metadata.speakers);
}

#[test]
fn the_files_are_recognised() {
    let mut config = Config::default();
    config.set_runtime_library(runtime_library());
    for (file, kind) in [
        ("segmentation-3.0.onnx", ModelKind::Segmentation),
        ("public/segmentation.onnx", ModelKind::Segmentation),
        ("public/embedding.onnx", ModelKind::Embedding),
    ] {
        let report = validate(&ModelSource::File(public(file)), &config).unwrap();
        assert_eq!((report.kind, report.breaches), (kind, Vec::new()), "{file}");
        if kind == ModelKind::Segmentation {
            let frames = report.facts.iter().find(|(name, _)| *name == "frames").unwrap();
            assert_eq!(frames.1, "589 of 991 samples, 270 apart");
        }
    }
}
