//! The model contract: each fixture breaks it in one way, and the message says which.

use voiceflow::model::{Session, Thresholds, validate};
use voiceflow::{Error, ModelSource, Provider, ProviderPolicy};

use crate::support::{config, fixture, session};

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
fn what_only_a_run_shows_is_found_by_validate() {
    let found = |name: &str, text: &str| {
        let breaches = breaches(name);
        assert!(breaches.iter().any(|breach| breach.contains(text)), "{name}: {breaches:#?}");
    };
    found("hidden_dim.onnx", "output `embedding`: expected shape [1, 3, 8], the network gave [1, 3, 6]");
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
