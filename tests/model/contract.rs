//! The model contract: each fixture breaks it in one way, and the message says which.

use voiceflow::model::{Inference, MAX_SAMPLES, Session, Thresholds, validate};
use voiceflow::{Call, Error, ModelSource, Provider, ProviderPolicy};

use crate::support::{config, fixture, noise, session};

/// The breaches that `validate` finds in a fixture.
fn breaches(name: &str) -> Vec<String> {
    validate(&ModelSource::File(fixture(name)), &config("good.onnx")).unwrap().breaches
}

/// Loading the fixture fails, and the error has all of `texts`.
#[track_caller]
fn refused(name: &str, texts: &[&str]) {
    let error = Session::new(&config(name)).unwrap_err();
    assert!(matches!(error, Error::Model(_)), "{error:?}");
    let error = error.to_string();
    assert!(error.starts_with(&fixture(name).display().to_string()), "{error}");
    for text in texts {
        assert!(error.contains(text), "{name}: expected {text:?} in: {error}");
    }
    assert_eq!(error.lines().count(), breaches(name).len() + 1, "{error}");
}

#[test]
fn a_good_model_tells_what_it_is() {
    assert_eq!(breaches("good.onnx"), Vec::<String>::new());
    let session = session("good.onnx");
    let info = session.info();
    assert_eq!((info.name.as_str(), info.version.as_str()), ("fixture", "1.2.3"));
    assert_eq!((info.sample_rate, info.window_samples, info.hop_samples), (16_000, 80_000, 8_000));
    assert_eq!((info.frame_step_samples, info.frame_offset_samples), (160, 80));
    assert_eq!((info.max_speakers, info.embedding_dim), (3, 8));
    assert_eq!(info.thresholds, Thresholds { onset: 0.6, offset: 0.4, clustering: 0.7, identity: 0.5625 });
    assert_eq!((info.sha256.len(), info.provider), (64, Provider::Cpu));
}

#[test]
fn every_breach_of_the_metadata_is_listed() {
    refused(
        "bad_numbers.onnx",
        &[
            "metadata `voiceflow.version`: expected a semantic version such as 1.0.0, found \"one\"",
            "metadata `voiceflow.sample_rate`: expected 16000, found \"8000\"",
            "metadata `voiceflow.window_samples`: expected a number from 1 to 960000, found \"960001\"",
            "metadata `voiceflow.hop_samples`: expected a number from 1 to 960000, found \"0\"",
            "metadata `voiceflow.frame_step_samples`: expected a number from 1 to 960000, found \"-160\"",
            "metadata `voiceflow.max_speakers`: expected a number from 1 to 16, found \"17\"",
            "metadata `voiceflow.embedding_dim`: expected a number from 1 to 4096, found \"many\"",
            "metadata `voiceflow.thresholds`: expected `onset` to be a number from 0 to 1, found 1.5",
            "metadata `voiceflow.thresholds`: expected `offset` to be a number from 0 to 1, found no such key",
            "metadata `voiceflow.thresholds`: expected `clustering` to be a number from 0 to 2, found \"low\"",
        ],
    );
    refused("no_metadata.onnx", &["metadata `voiceflow.contract`: expected 1, found no such key"]);
    refused("no_thresholds.onnx", &["metadata `voiceflow.thresholds`: expected a JSON object"]);
    refused("wrong_contract.onnx", &["metadata `voiceflow.contract`: expected 1, found \"2\""]);
    assert_eq!(breaches("no_metadata.onnx").len(), 11);
    let text = "metadata `voiceflow.tuning`: live_window_s: expected 0.1 to 60, found 0";
    refused("wrong_tuning.onnx", &[text]);
    let text = "metadata `voiceflow.tuning`: \"echo_s\": unknown to this version of the library, expected clustering, ";
    refused("later_tuning.onnx", &[text]);
}

/// No number of the shipped model is a default of the library.
#[cfg(feature = "embedded-model")]
#[test]
fn the_embedded_model_says_all_of_its_tuning() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/fast-cnn/1.0.1");
    let text = std::fs::read_to_string(format!("{folder}/metadata.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut config = config("good.onnx");
    config.set_model(ModelSource::Embedded);
    let session = Session::new(&config).unwrap();
    let said: serde_json::Value = serde_json::from_str(&session.tuning().to_string()).unwrap();
    let numbers = |value: &serde_json::Value| {
        let object = value.as_object().unwrap().clone().into_iter();
        object.map(|(key, value)| (key, value.as_f64().map_or(value, Into::into))).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&said), numbers(&metadata["tuning"]));
    let model = std::fs::read(format!("{folder}/model.onnx")).unwrap();
    let stated = [&metadata["tuning"], &metadata["thresholds"]].map(|object| object.as_object().unwrap());
    for (key, value) in stated.into_iter().flatten() {
        // As the exporter writes it.
        let said = format!("{key:?}: {value}");
        let found = model.windows(said.len()).any(|part| part == said.as_bytes());
        assert!(found, "model.onnx: expected {said}");
    }
    assert_eq!(metadata["thresholds"]["identity"], 0.5625);
}

#[test]
fn every_breach_of_the_tensors_is_listed() {
    refused(
        "wrong_input.onnx",
        &[
            "input `audio`: expected float32 [batch, samples], found only `waveform`",
            "input `waveform`: expected no such input",
        ],
    );
    refused("wrong_type.onnx", &["input `audio`: expected float32, found f64"]);
    let text = "input `audio`, axis 0 of [batch, samples]: expected a dynamic size, found 1";
    refused("fixed_batch.onnx", &[text]);
    refused(
        "wrong_rank.onnx",
        &["input `audio`: expected [batch, samples], found Tensor<f32>(batch, 1, samples)"],
    );
    refused(
        "wrong_speakers.onnx",
        &[
            "output `activity`, axis 2 of [batch, frames, speakers]: expected 4, found 3",
            "output `embedding`, axis 1 of [batch, speakers, dim]: expected 4, found 3",
        ],
    );
    refused("wrong_dim.onnx", &["output `embedding`, axis 2 of [batch, speakers, dim]: expected 8, found 6"]);
    let text = "output `activity`, axis 0 of [batch, frames, speakers]: expected a dynamic size, found 1";
    refused("lost_batch.onnx", &[text]);
    refused("extra_output.onnx", &["output `logits`: expected no such output"]);
}

#[test]
fn a_model_whose_shapes_only_a_run_shows_is_refused() {
    for (name, text) in [
        // A frame of a part of a step; a step that is not the graph's.
        (
            "part_frames.onnx",
            "output `activity` for input `audio` of shape [1, 319]: expected shape [1, 1, 3], the network gave [1, 2, 3]",
        ),
        (
            "wrong_step.onnx",
            "output `activity` for input `audio` of shape [1, 320]: expected shape [1, 1, 3], the network gave [1, 2, 3]",
        ),
        (
            "hidden_dim.onnx",
            "output `embedding` for input `audio` of shape [1, 160]: expected shape [1, 3, 8], the network gave [1, 3, 6]",
        ),
    ] {
        let error = Session::new(&config(name)).unwrap_err();
        assert!(matches!(error, Error::Model(_)), "{error:?}");
        assert_eq!(error.to_string(), format!("{}: {text}", fixture(name).display()));
        let found = breaches(name);
        assert!(found.iter().any(|breach| breach.contains(text)), "{name}: {found:#?}");
    }
}

/// As `frames_of` of models/diarization says; edges of frames, the window and the longest row among
/// the lengths.
fn frames_are_computed(session: &Session) {
    let info = session.info();
    let step = info.frame_step_samples;
    let near = |middle: usize| [middle - 1, middle, middle + 1];
    let edges = [2, 3, 7, 26].into_iter().flat_map(|frames| near(frames * step));
    let odd = (0..40).map(|i| step + i * 1_237);
    let long = near(info.window_samples).into_iter().chain([MAX_SAMPLES - 1, MAX_SAMPLES]);
    let mut out = Inference::default();
    for samples in [step, step + 1].into_iter().chain(edges).chain(odd).chain(long) {
        session.infer(noise(1, samples, 5).view(), &mut out, &Call::none()).unwrap();
        let frames = session.frames(samples).unwrap();
        assert_eq!((out.activity.dim().1, frames), (frames, samples / step), "{samples} samples");
    }
    let error = session.frames(step - 1).unwrap_err();
    let text =
        format!("samples: expected at least {step} in a row, one frame of the model, got {}", step - 1);
    assert!(matches!(error, Error::InvalidArgument(_)) && error.to_string() == text, "{error:?}");
    assert!(matches!(session.frames(0), Err(Error::InvalidArgument(_))));
    assert!(matches!(session.frames(MAX_SAMPLES + 1), Err(Error::Limit(_))));
}

#[test]
fn frames_are_those_that_the_network_gives() {
    frames_are_computed(&session("good.onnx"));
}

#[cfg(feature = "embedded-model")]
#[test]
fn frames_of_the_embedded_model_are_those_that_its_network_gives() {
    let mut config = config("good.onnx");
    config.set_model(ModelSource::Embedded);
    frames_are_computed(&Session::new(&config).unwrap());
}

#[test]
fn what_only_a_run_shows_is_found_by_validate() {
    let found = |name: &str, text: &str| {
        let breaches = breaches(name);
        assert!(breaches.iter().any(|breach| breach.contains(text)), "{name}: {breaches:#?}");
    };
    found("activity_range.onnx", "output `activity` on silence: expected values from 0 to 1, found");
    found("not_unit.onnx", "output `embedding` on noise: expected length 1 or zeros, found");
    found("nan.onnx", "output `embedding` on silence: expected finite values, found NaN");
    found("mixed_batch.onnx", "batch: expected the same results for a row alone and among others");
}

#[cfg(feature = "embedded-model")]
#[test]
fn the_embedded_model_keeps_the_contract() {
    let mut config = config("good.onnx");
    assert_eq!(validate(&ModelSource::Embedded, &config).unwrap().breaches, Vec::<String>::new());
    config.set_model(ModelSource::Embedded);
    Session::new(&config).unwrap();
}

#[cfg(not(feature = "embedded-model"))]
#[test]
fn a_library_without_an_embedded_model_says_so() {
    let mut config = config("good.onnx");
    config.set_model(ModelSource::Embedded);
    let error = Session::new(&config).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)));
    assert!(error.to_string().contains("built without an embedded model"), "{error}");
}

#[test]
fn files_that_are_no_models_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let good = std::fs::read(fixture("good.onnx")).unwrap();
    let random: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let refuse = |source| {
        let mut config = config("good.onnx");
        config.set_model(source);
        Session::new(&config).unwrap_err()
    };
    for (path, text) in [
        (write("empty.onnx", b""), "expected an ONNX model, got 0 bytes"),
        (write("cut.onnx", &good[..good.len() / 2]), "not a valid ONNX model"),
        (write("random.onnx", &random), "not a valid ONNX model"),
        (write("text.onnx", b"version https://git-lfs.github.com/spec/v1\n"), "not a valid ONNX model"),
    ] {
        let error = refuse(ModelSource::File(path.clone()));
        let expected = format!("{}: {text}", path.display());
        assert!(matches!(error, Error::Model(_)) && error.to_string().starts_with(&expected), "{error}");
    }
    let error = refuse(ModelSource::File(folder.path().join("none.onnx")));
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    let error = refuse(ModelSource::File(folder.path().to_owned()));
    assert!(error.to_string().contains("expected a regular file, found a folder"), "{error}");
    let error = refuse(ModelSource::Memory(random.into()));
    assert!(error.to_string().starts_with("model in memory: not a valid ONNX model"), "{error}");

    let mut from_memory = config("good.onnx");
    from_memory.set_model(ModelSource::Memory(good.into()));
    assert_eq!(Session::new(&from_memory).unwrap().info(), session("good.onnx").info());
}

#[test]
fn a_gpu_is_required_or_preferred() {
    let mut config = config("good.onnx");
    for provider in [Provider::Cuda, Provider::TensorRt] {
        config.set_provider(provider, ProviderPolicy::Required);
        let error = Session::new(&config).unwrap_err();
        assert!(matches!(error, Error::Provider(_)));
        let expected = format!("provider: expected {}, which is not available", provider.name());
        let error = error.to_string();
        assert!(error.starts_with(&expected) && error.ends_with("this ONNX Runtime offers cpu"), "{error}");
        config.set_provider(provider, ProviderPolicy::Preferred);
        assert_eq!(Session::new(&config).unwrap().info().provider, Provider::Cpu);
    }
    config.set_provider(Provider::Auto, ProviderPolicy::Required);
    assert_eq!(Session::new(&config).unwrap().info().provider, Provider::Cpu);
}
