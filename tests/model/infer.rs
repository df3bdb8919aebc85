//! One run of the network: results, what it refuses, and that it goes on after an error.

use std::time::{Duration, Instant};

use ndarray::{Array2, s};
use voiceflow::model::{Inference, MAX_SAMPLES, Session, golden_input};
use voiceflow::{Call, Error, ModelSource};

use crate::support::{config, fixture, noise, runtime, session};

#[test]
fn results_have_the_shape_and_the_values_of_the_contract() {
    let session = session("good.onnx");
    let mut out = Inference::default();
    session.infer(noise(3, 16_000, 1).view(), &mut out, &Call::none()).unwrap();
    assert_eq!((out.activity.dim(), out.embedding.dim()), ((3, 100, 3), (3, 3, 8)));
    assert!(out.activity.iter().all(|value| (0.0..=1.0).contains(value)));
    assert_ne!(out.embedding.slice(s![0, .., ..]), out.embedding.slice(s![1, .., ..]));
}

#[test]
fn threads_change_no_result() {
    let audio = noise(2, 80_000, 5);
    let run = |threads| {
        let mut config = config("good.onnx");
        config.set_threads(threads).unwrap();
        let mut out = Inference::default();
        Session::new(&config).unwrap().infer(audio.view(), &mut out, &Call::none()).unwrap();
        out
    };
    let (one, two, default) = (run(1), run(2), run(0));
    for other in [two, default] {
        assert!(one.activity.iter().zip(&other.activity).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(one.embedding.iter().zip(&other.embedding).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn an_array_in_any_layout_gives_the_same() {
    let session = session("good.onnx");
    let audio = noise(4, 3_200, 9);
    let (mut expected, mut found) = (Inference::default(), Inference::default());
    session.infer(audio.view(), &mut expected, &Call::none()).unwrap();
    let transposed = audio.t().as_standard_layout().into_owned();
    session.infer(transposed.t(), &mut found, &Call::none()).unwrap();
    assert_eq!(expected, found);
    let mut rows = Inference::default();
    session.infer(audio.slice(s![..;2, ..]), &mut rows, &Call::none()).unwrap();
    assert_eq!(rows.embedding.slice(s![1, .., ..]), expected.embedding.slice(s![2, .., ..]));
}

/// ONNX Runtime plans its memory for some of them; the results are the same.
#[test]
fn any_number_of_shapes_gives_what_each_gives_alone() {
    let shared = session("good.onnx");
    let (mut out, mut alone) = (Inference::default(), Inference::default());
    for round in 0..2 {
        for step in 0..100 {
            let audio = noise(1 + step % 3, 1_600 + 37 * step, 3);
            shared.infer(audio.view(), &mut out, &Call::none()).unwrap();
            if step % 33 == 0 {
                session("good.onnx").infer(audio.view(), &mut alone, &Call::none()).unwrap();
                assert_eq!(out, alone, "shape {step} of round {round}");
            }
        }
    }
}

#[test]
fn wrong_shapes_are_refused_and_the_next_call_works() {
    let session = session("good.onnx");
    let mut out = Inference::default();
    session.infer(noise(1, 1_600, 1).view(), &mut out, &Call::none()).unwrap();
    let before = out.clone();
    let mut refuse = |batch, samples| {
        let audio = Array2::zeros((batch, samples));
        session.infer(audio.view(), &mut out, &Call::none()).unwrap_err()
    };
    let error = refuse(0, 16_000);
    assert!(matches!(error, Error::InvalidArgument(_)) && error.to_string().ends_with("got [0, 16000]"));
    let error = refuse(1, 159);
    assert!(error.to_string().contains("at least 160 samples, got [1, 159]"), "{error}");
    assert!(matches!(refuse(1, MAX_SAMPLES + 1), Error::Limit(_)));
    assert!(matches!(refuse(1025, 160), Error::Limit(_)));
    assert_eq!(out, before);
    session.infer(noise(1, 1_600, 1).view(), &mut out, &Call::none()).unwrap();
    assert_eq!(out, before);
}

#[test]
fn a_deadline_stops_a_run_and_the_next_call_works() {
    let session = session("slow.onnx");
    let long = noise(64, 320_000, 3);
    let mut out = Inference::default();
    let mut stops_soon = || {
        let call = Call::none().with_deadline(Some(Duration::from_millis(100)));
        let start = Instant::now();
        let error = session.infer(long.view(), &mut out, &call).unwrap_err();
        assert_eq!(error.to_string(), "deadline of 100 ms passed while analysing the audio");
        start.elapsed() < Duration::from_secs(5)
    };
    // A machine that does other work may hold it up once, and not each time.
    assert!((0..5).any(|_| stops_soon()));
    // Neither the old stop flag nor a watch that is over reaches the next runs.
    for limit in [None, Some(Duration::from_secs(600))] {
        let call = Call::none().with_deadline(limit);
        session.infer(noise(1, 1_600, 1).view(), &mut out, &call).unwrap();
    }
}

#[test]
fn a_deadline_that_has_passed_runs_nothing() {
    let session = session("good.onnx");
    let call = Call::none().with_deadline(Some(Duration::ZERO));
    let mut out = Inference::default();
    let error = session.infer(noise(1, 1_600, 1).view(), &mut out, &call).unwrap_err();
    assert!(matches!(error, Error::Deadline { deadline_ms: 0, .. }));
}

#[test]
fn a_model_that_lies_about_its_shape_is_found_when_it_runs() {
    let session = session("loud_frames.onnx");
    let mut out = Inference::default();
    session.infer(noise(2, 1_600, 1).view(), &mut out, &Call::none()).unwrap();
    let before = out.clone();
    let loud = noise(2, 1_600, 1) * 100.0;
    let error = session.infer(loud.view(), &mut out, &Call::none()).unwrap_err();
    let text = "output `activity` for input `audio` of shape [2, 1600]: expected shape [2, 10, 3], the network gave \
                [2, 11, 3]";
    assert!(matches!(error, Error::Model(_)), "{error:?}");
    assert_eq!(error.to_string(), text);
    assert_eq!(out, before);
}

#[test]
fn a_golden_vector_beside_the_model_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::copy(fixture("good.onnx"), &path).unwrap();
    let mut config = config("good.onnx");
    config.set_model(ModelSource::File(path));

    let session = Session::new(&config).unwrap();
    let mut out = Inference::default();
    session.infer(golden_input().unwrap().view(), &mut out, &Call::none()).unwrap();
    let golden = std::fs::read_to_string(fixture("good_golden.json")).unwrap();
    let beside = folder.path().join("golden.json");

    // Written by golden.py, with onnxruntime for Python.
    std::fs::write(&beside, &golden).unwrap();
    Session::new(&config).unwrap();

    let mut wrong: serde_json::Value = serde_json::from_str(&golden).unwrap();
    wrong["embedding"]["data"][3] = 0.9.into();
    std::fs::write(&beside, wrong.to_string()).unwrap();
    let error = Session::new(&config).unwrap_err().to_string();
    assert!(error.contains("golden vector: embedding: expected the known values within 0.001"), "{error}");

    // One with the name of the model's own file comes first: variants share a folder.
    let own = folder.path().join("model.golden.json");
    std::fs::write(&own, &golden).unwrap();
    Session::new(&config).unwrap();
    std::fs::rename(&own, &beside).unwrap();
    Session::new(&config).unwrap();

    // A file may allow more, as far as a wrong result still shows.
    let mut near: serde_json::Value = serde_json::from_str(&golden).unwrap();
    near["embedding"]["data"][3] = (near["embedding"]["data"][3].as_f64().unwrap() + 0.02).into();
    for (tolerance, problem) in [
        (0.05, None),
        (0.01, Some("expected the known values within 0.01")),
        (0.2, Some("expected a tolerance above 0 and at most 0.1, found 0.2")),
        (0.0, Some("expected a tolerance above 0 and at most 0.1, found 0")),
    ] {
        near["tolerance"] = tolerance.into();
        std::fs::write(&beside, near.to_string()).unwrap();
        let found = Session::new(&config).err().map(|error| error.to_string());
        assert_eq!(found.is_some(), problem.is_some(), "{tolerance}: {found:?}");
        assert!(found.unwrap_or_default().contains(problem.unwrap_or_default()), "{tolerance}");
    }

    wrong["model_sha256"] = "of another model".into();
    std::fs::write(&beside, wrong.to_string()).unwrap();
    Session::new(&config).unwrap();

    std::fs::write(&beside, "{").unwrap();
    let error = Session::new(&config).unwrap_err().to_string();
    assert!(error.contains("golden vector: EOF while parsing"), "{error}");
    assert_eq!(runtime(), *config.runtime_library().unwrap());
}
