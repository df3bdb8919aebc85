//! Clustering, reconstruction and powerset decoding equal those of pyannote.audio on the cases of
//! `golden/clustering.json`, which `python/make_clustering_golden.py` writes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use ndarray::{Array1, Array2};
use serde_json::Value;
use voiceflow::Call;
use voiceflow::diarize::LocalWindow;
use voiceflow::diarize::activity::Hysteresis;
use voiceflow::diarize::clustering::{
    Assignment, Clustering, ClusteringOptions, Method, Plda, PldaArrays, Vbx, cluster,
};
use voiceflow::diarize::powerset::{Powerset, PowersetDecoding};
use voiceflow::diarize::reconstruct::{Voting, Weighting, labelled, reconstruct};

const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

/// Dimension of the voices.
const DIMENSION: usize = 16;

static GOLDEN: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/clustering.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn vector(value: &Value) -> Array1<f64> {
    list(value).iter().map(number).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let (rows, columns) = (list(value).len(), list(&value[0]).len());
    Array2::from_shape_fn((rows, columns), |(row, column)| number(&value[row][column]))
}

fn label(value: &Value) -> Option<usize> {
    usize::try_from(value.as_i64().unwrap()).ok()
}

fn plda() -> Plda {
    let arrays = &GOLDEN["plda"]["arrays"];
    Plda::new(PldaArrays {
        mean1: vector(&arrays["mean1"]),
        mean2: vector(&arrays["mean2"]),
        lda: matrix(&arrays["lda"]),
        mu: vector(&arrays["mu"]),
        tr: matrix(&arrays["tr"]),
        psi: vector(&arrays["psi"]),
    })
    .unwrap()
}

fn window(locals: &Value) -> LocalWindow {
    let locals = list(locals);
    let frames = locals[0]["activity"].as_str().unwrap().len();
    let activity = Array2::from_shape_fn((frames, locals.len()), |(frame, local)| {
        f32::from(locals[local]["activity"].as_str().unwrap().as_bytes()[frame] - b'0')
    });
    let embedding = Array2::from_shape_fn((locals.len(), DIMENSION), |(local, axis)| {
        locals[local]["voice"].as_array().map_or(f32::NAN, |voice| number(&voice[axis]) as f32 / 1000.0)
    });
    LocalWindow { start_frame: 0, activity, embedding }
}

fn options(case: &Value) -> ClusteringOptions {
    let method = match case["method"].as_str().unwrap() {
        "centroid" => {
            Method::Centroid { min_cluster_size: case["min_cluster_size"].as_u64().unwrap() as usize }
        }
        _ => {
            let vbx = Vbx::new(Arc::new(plda()));
            Method::Vbx(vbx.with_factors(number(&case["fa"]), number(&case["fb"])).unwrap())
        }
    };
    let constrained = case["constrained"].as_bool().unwrap();
    ClusteringOptions {
        method,
        threshold: number(&case["threshold"]) as f32,
        min_speakers: case["min"].as_u64().unwrap() as usize,
        max_speakers: case["max"].as_u64().map_or(usize::MAX, |max| max as usize),
        // A fifth of a window's 20 frames.
        trusted_frames: 4,
        least_speaker_frames: 0,
        assignment: if constrained { Assignment::Constrained } else { Assignment::Nearest },
        hysteresis: HYSTERESIS,
    }
}

/// Our speaker of each speaker of pyannote.audio who has a voice anywhere; fails unless they are
/// one to one.
fn same_speakers(
    case: &Value,
    windows: &[LocalWindow],
    found: &Clustering,
    name: &str,
) -> BTreeMap<usize, usize> {
    let mut ours = BTreeMap::new();
    let mut theirs = BTreeMap::new();
    for (index, (window, labels)) in windows.iter().zip(&found.labels).enumerate() {
        for (local, &own) in labels.iter().enumerate() {
            let talks = window.speaker_activity(local).iter().any(|&frame| frame > 0.5);
            assert_eq!(own.is_some(), talks, "{name}: window {index}, local speaker {local}");
            let (Some(own), Some(expected)) = (own, label(&case["labels"][index][local])) else { continue };
            if window.has_voice(local) {
                assert_eq!(*ours.entry(expected).or_insert(own), own, "{name}: window {index}, {local}");
                assert_eq!(
                    *theirs.entry(own).or_insert(expected),
                    expected,
                    "{name}: window {index}, {local}"
                );
            }
        }
    }
    ours
}

#[test]
fn speakers_are_those_of_pyannote() {
    let data: Vec<Vec<LocalWindow>> =
        list(&GOLDEN["data"]).iter().map(|windows| list(windows).iter().map(window).collect()).collect();
    let cases = list(&GOLDEN["clustering"]);
    assert!(cases.len() >= 80, "golden file holds {} cases", cases.len());
    for (number, case) in cases.iter().enumerate() {
        let windows = &data[case["data"].as_u64().unwrap() as usize];
        let found = cluster(windows, &options(case), &Call::none()).unwrap();
        let name = format!("case {number} ({})", case["method"]);
        let ours = same_speakers(case, windows, &found, &name);
        let expected = matrix(&case["centroids"]);
        for (&theirs, &own) in &ours {
            let expected = expected.row(theirs);
            let length = expected.dot(&expected).sqrt();
            for (ours, expected) in found.centroids.row(own).iter().zip(expected) {
                let error = (f64::from(*ours) - expected / length).abs();
                assert!(error < 2e-4, "{name}: centroid of speaker {theirs} is off by {error}");
            }
        }
    }
}

#[test]
fn plda_features_are_those_of_the_eigenproblem() {
    let (plda, golden) = (plda(), &GOLDEN["plda"]);
    let features = plda.features(matrix(&golden["embeddings"]).mapv(|value| value as f32).view()).unwrap();
    let errors = features.mapv(f64::abs) - matrix(&golden["magnitudes"]);
    assert!(errors.iter().all(|error| error.abs() < 1e-5), "{errors}");
    let errors = &plda.phi() - vector(&golden["phi"]);
    assert!(errors.iter().all(|error| error.abs() < 1e-5), "{errors}");
}

#[test]
fn flat_reconstruction_is_that_of_pyannote() {
    for (number, case) in list(&GOLDEN["reconstruction"]).iter().enumerate() {
        let hop = case["hop"].as_u64().unwrap() as usize;
        let windows: Vec<LocalWindow> = list(&case["activity"])
            .iter()
            .enumerate()
            .map(|(index, locals)| LocalWindow {
                start_frame: index * hop,
                activity: matrix(locals).t().mapv(|percent| percent as f32 / 100.0),
                embedding: Array2::ones((list(locals).len(), 1)),
            })
            .collect();
        let labels: Vec<Vec<Option<usize>>> =
            list(&case["labels"]).iter().map(|labels| list(labels).iter().map(label).collect()).collect();
        let frames = list(&case["frames"]);
        let call = Call::none();
        let turns = reconstruct(
            &labelled(&windows, &labels).unwrap(),
            frames.len(),
            HYSTERESIS,
            Voting { weighting: Weighting::Flat, ..Voting::default() },
            usize::MAX,
            &call,
        )
        .unwrap();
        let speakers = labels.iter().flatten().flatten().max().unwrap() + 1;
        for (frame, expected) in frames.iter().enumerate() {
            let talks = |speaker: usize| {
                turns.iter().any(|turn| turn.speaker == speaker && (turn.start..turn.end).contains(&frame))
            };
            let expected = expected.as_str().unwrap();
            match expected.strip_prefix('#') {
                Some(count) => {
                    let found = (0..speakers).filter(|&speaker| talks(speaker)).count();
                    assert_eq!(found, count.parse::<usize>().unwrap(), "case {number}, frame {frame}");
                }
                None => {
                    let found: String =
                        (0..speakers).map(|speaker| if talks(speaker) { '1' } else { '0' }).collect();
                    assert_eq!(found, expected, "case {number}, frame {frame}");
                }
            }
        }
    }
}

#[test]
fn powerset_decoding_is_that_of_pyannote() {
    for case in list(&GOLDEN["powerset"]) {
        let numbers = |key: &str| case[key].as_u64().unwrap() as usize;
        let powerset = Powerset::new(numbers("speakers"), numbers("together")).unwrap();
        let sets: Vec<Vec<usize>> = serde_json::from_value(case["sets"].clone()).unwrap();
        assert_eq!(powerset.sets(), sets);
        let scores = matrix(&case["scores"]).mapv(|score| score as f32);
        let mut activity = Array2::zeros((scores.nrows(), powerset.speakers()));
        for (decoding, key) in
            [(PowersetDecoding::Hard, "hard"), (PowersetDecoding::Soft { silence_weight: 1.0 }, "soft")]
        {
            powerset.decode_into(scores.view(), decoding, activity.view_mut()).unwrap();
            let errors = activity.mapv(f64::from) - matrix(&case[key]);
            assert!(errors.iter().all(|error| error.abs() < 2e-6), "{key}: {errors}");
        }
    }
}
