//! What follows the network looks at the caller's wishes often, however long the recording and
//! however many speak in it. The longest times that it prints, of an optimised build, stand in
//! docs/THREADING.md.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::support::looks::{Looks, least, worked};
use ndarray::{Array1, Array2};
use voiceflow::diarize::LocalWindow;
use voiceflow::diarize::activity::Hysteresis;
use voiceflow::diarize::clustering::{
    Assignment, ClusteringOptions, Method, Plda, PldaArrays, Start, Vbx, cluster, label_by_centroids,
};
use voiceflow::diarize::reconstruct::{Voting, labelled, reconstruct};
use voiceflow::{Call, Error};

/// Longest time between two looks that these tests allow: far more than measured, for a build that
/// is not optimised.
const LONGEST: Duration = Duration::from_secs(1);

/// Windows of 5 s, one a second: of two and a half hours, which have more tracks than are clustered
/// with each other; of fewer where the build is not optimised.
const WINDOWS: usize = if cfg!(debug_assertions) { 600 } else { 9_000 };
/// Frames of a window, and from one window to the next.
const FRAMES: usize = 250;
const STEP: usize = 50;
/// Values of a voice, as many as the models give.
const DIMENSION: usize = 192;
const PEOPLE: usize = 400;
/// Most speakers that can be asked for.
const MAX_SPEAKERS: usize = 100;

const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

/// Numbers from 0 to 1 that look random, always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

/// A meeting in which two of hundreds of people talk in each window.
static MEETING: LazyLock<Vec<LocalWindow>> = LazyLock::new(|| {
    let mut numbers = Numbers(1);
    let people = Array2::from_shape_simple_fn((PEOPLE, DIMENSION), || numbers.next() - 0.5);
    let window = |index: usize| {
        let mut activity = Array2::zeros((FRAMES, 3));
        activity.slice_mut(ndarray::s![..FRAMES / 2, 0]).fill(0.9);
        activity.slice_mut(ndarray::s![FRAMES / 2 - 20.., 1]).fill(0.9);
        let first = (numbers.next() * PEOPLE as f32) as usize % PEOPLE;
        let who = [first, (first + 1) % PEOPLE, 0];
        let embedding = Array2::from_shape_fn((3, DIMENSION), |(local, axis)| {
            if local == 2 { 0.0 } else { people[(who[local], axis)] + 0.2 * (numbers.next() - 0.5) }
        });
        LocalWindow { start_frame: index * STEP, activity, embedding }
    };
    (0..WINDOWS).map(window).collect()
});

fn plda() -> Plda {
    let eye = Array2::eye(DIMENSION);
    Plda::new(PldaArrays {
        mean1: Array1::zeros(DIMENSION),
        mean2: Array1::zeros(DIMENSION),
        lda: eye.clone(),
        mu: Array1::zeros(DIMENSION),
        tr: eye * 2.0,
        psi: Array1::from_elem(DIMENSION, 9.0),
    })
    .unwrap()
}

fn options(method: Method, (min_speakers, max_speakers): (usize, usize)) -> ClusteringOptions {
    ClusteringOptions {
        method,
        threshold: 0.5,
        min_speakers,
        max_speakers,
        trusted_frames: 10,
        least_speaker_frames: 15,
        assignment: Assignment::Constrained,
        hysteresis: HYSTERESIS,
    }
}

/// The ways to cluster, by name.
fn methods() -> Vec<(&'static str, ClusteringOptions)> {
    let vbx = Vbx::new(Arc::new(plda()));
    let any = (1, MAX_SPEAKERS);
    vec![
        ("average linkage", options(Method::Average, any)),
        ("centroid linkage", options(Method::Centroid { min_cluster_size: 12 }, any)),
        ("VBx", options(Method::Vbx(vbx.clone()), any)),
        ("VBx from average linkage", options(Method::Vbx(vbx.clone().with_start(Start::Average)), any)),
        ("VBx, k-means", options(Method::Vbx(vbx), (MAX_SPEAKERS, MAX_SPEAKERS))),
    ]
}

#[test]
fn clustering_looks_often_and_ends_at_the_deadline() {
    for (name, options) in methods() {
        looks_often(name, |call| cluster(&MEETING, &options, call).unwrap());
        let limit = Duration::from_millis(200);
        let took = least(limit + LONGEST, || {
            let begun = worked();
            match cluster(&MEETING, &options, &Call::none().with_deadline(limit)) {
                Ok(_) => Duration::ZERO,
                Err(Error::Deadline { .. }) => worked() - begun,
                Err(error) => panic!("{error:?}"),
            }
        });
        assert!(took < limit + LONGEST, "{name}: {took:?}");
    }
}

/// What `work` gives, which looks often.
#[allow(clippy::print_stdout, reason = "the documents have these times")]
fn looks_often<T>(name: &str, work: impl Fn(&Call<'_>) -> T) -> T {
    let mut done = None;
    let longest = least(LONGEST, || {
        let (result, longest) = Looks::timed(None, &work);
        done = Some(result);
        longest
    });
    println!("{name}: longest {longest:.1?}");
    assert!(longest < LONGEST, "{name}: {longest:?}");
    done.unwrap()
}

#[test]
fn what_follows_clustering_looks_often() {
    let windows = &MEETING[..];
    let centroids = Array2::from_shape_fn((MAX_SPEAKERS, DIMENSION), |(row, axis)| {
        f32::from(u8::from(row % DIMENSION == axis))
    });
    let labels = looks_often("short windows", |call| {
        label_by_centroids(windows, &centroids, HYSTERESIS, call).unwrap()
    });
    let total = WINDOWS * STEP;
    let turns = looks_often("reconstruction", |call| {
        let labelled = labelled(windows, &labels);
        reconstruct(&labelled.unwrap(), total, HYSTERESIS, Voting::default(), usize::MAX, call).unwrap()
    });
    assert!(!turns.is_empty());
}
