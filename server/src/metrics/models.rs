//! The metrics of models: which run, what they are asked, and how they compare.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::looks::Looks;
use super::{FloatCounter, FloatGauge, Outcome, STREAM_BUCKETS};

/// Upper ends of the buckets of compute for each second of audio: from a GPU to slower than speech.
const SPEED_BUCKETS: [f64; 13] =
    [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.3, 1.0];

/// Upper ends of the buckets of divergence, a diarization error rate.
const DIVERGENCE_BUCKETS: [f64; 9] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0];

/// How reloads end.
const RELOADS: [&str; 4] = ["done", "failed", "rolled_back", "automatic_rollback"];
/// How runs of the candidate end.
const COMPARISONS: [&str; 3] = ["done", "dropped", "failed"];

/// Recordings or streams.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Recordings.
    Batch,
    /// Streams.
    Live,
}

impl Kind {
    /// In labels.
    fn name(self) -> &'static str {
        match self {
            Kind::Batch => "batch",
            Kind::Live => "live",
        }
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Work {
    kind: &'static str,
    arm: Arc<str>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answer {
    kind: &'static str,
    arm: Arc<str>,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct OfArm {
    pub(super) arm: Arc<str>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Candidate {
    candidate: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Running {
    arm: String,
    kind: &'static str,
    name: String,
    version: String,
    sha256: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of models.
pub struct Models {
    audio: Family<Work, FloatCounter>,
    compute: Family<Work, FloatCounter>,
    answers: Family<Answer, Counter>,
    speed: Histograms<OfArm>,
    response: Histograms<OfArm>,
    divergence: Histograms<Candidate>,
    comparisons: Family<Outcome, Counter>,
    reloads: Family<Outcome, Counter>,
    info: Family<Running, Gauge>,
    share: Family<OfArm, FloatGauge>,
    /// What [`Models::info`] shows.
    shown: Mutex<Vec<Running>>,
    /// Bundles in memory.
    pub loaded: Gauge,
    /// Galleries that could not be looked at.
    pub unread_galleries: Counter,
    /// When it was found out what arms should run.
    pub looks: Looks,
}

impl Models {
    /// All at zero, and known to `registry`.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let models = Self {
            audio: Family::default(),
            compute: Family::default(),
            answers: Family::default(),
            speed: Family::new_with_constructor(|| Histogram::new(SPEED_BUCKETS)),
            response: Family::new_with_constructor(|| Histogram::new(STREAM_BUCKETS)),
            divergence: Family::new_with_constructor(|| Histogram::new(DIVERGENCE_BUCKETS)),
            comparisons: Family::default(),
            reloads: Family::default(),
            info: Family::default(),
            share: Family::default(),
            shown: Mutex::default(),
            loaded: Gauge::default(),
            unread_galleries: Counter::default(),
            looks: Looks::default(),
        };
        // The first one is an increase of what was there before.
        RELOADS.iter().for_each(|outcome| drop(models.reloads.get_or_create(&Outcome { outcome })));
        COMPARISONS.iter().for_each(|outcome| drop(models.comparisons.get_or_create(&Outcome { outcome })));
        models.register(registry);
        models
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("voiceflow_audio_seconds", "Audio diarized", self.audio.clone());
        let text = "Time that workers spent on audio";
        registry.register("voiceflow_compute_seconds", text, self.compute.clone());
        let text = "Recordings and streams that ended, by the arm that answered and how";
        registry.register("voiceflow_answers", text, self.answers.clone());
        let text = "Time that a worker spent on a recording for each second of audio in it";
        registry.register("voiceflow_recording_compute_ratio", text, self.speed.clone());
        let text = "Time from the arrival of audio until its segments are on the socket";
        registry.register("voiceflow_stream_response_seconds", text, self.response.clone());
        let text = "Diarization error rate of the candidate's answers against those that were given";
        registry.register("voiceflow_shadow_divergence_ratio", text, self.divergence.clone());
        let text = "Runs of the candidate, by how they ended";
        registry.register("voiceflow_shadow_runs", text, self.comparisons.clone());
        registry.register(
            "voiceflow_model_reloads",
            "Reloads of models, by how they ended",
            self.reloads.clone(),
        );
        registry.register("voiceflow_model_info", "The models that run", self.info.clone());
        let text = "Share of the requests and streams that an arm gets";
        registry.register("voiceflow_arm_share_ratio", text, self.share.clone());
        let text = "Bundles in memory, those that old streams still use among them";
        registry.register("voiceflow_models_loaded", text, self.loaded.clone());
        let text = "Galleries that could not be read when models changed";
        registry.register("voiceflow_unread_galleries", text, self.unread_galleries.clone());
        registry.register_collector(Box::new(self.looks.clone()));
    }

    /// So many seconds of audio took a worker so long.
    pub fn work(&self, kind: Kind, arm: &Arc<str>, audio_s: f64, took: Duration) {
        let labels = Work { kind: kind.name(), arm: arm.clone() };
        self.audio.get_or_create(&labels).inc_by(audio_s.max(0.0));
        self.compute.get_or_create(&labels).inc_by(took.as_secs_f64());
    }

    /// A recording took a worker so many seconds for each second of audio.
    pub fn speed(&self, arm: &Arc<str>, ratio: f64) {
        self.speed.get_or_create(&OfArm { arm: arm.clone() }).observe(ratio);
    }

    /// Segments are on the socket so long after their audio came.
    pub fn response(&self, arm: &Arc<str>, took: Duration) {
        self.response.get_or_create(&OfArm { arm: arm.clone() }).observe(took.as_secs_f64());
    }

    /// A recording or a stream ended.
    pub fn answered(&self, kind: Kind, arm: &Arc<str>, outcome: &'static str) {
        self.answers.get_or_create(&Answer { kind: kind.name(), arm: arm.clone(), outcome }).inc();
    }

    /// The candidate was run.
    pub fn compared(&self, outcome: &'static str) {
        self.comparisons.get_or_create(&Outcome { outcome }).inc();
    }

    /// The candidate's answer has this error rate against the one that was given.
    pub fn diverged(&self, candidate: String, error_rate: f64) {
        self.divergence.get_or_create(&Candidate { candidate }).observe(error_rate);
    }

    /// A reload ended.
    pub fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&Outcome { outcome }).inc();
    }

    /// These run, and no others: the arm, its share, and of its model for recordings or streams
    /// name, version and SHA-256.
    pub fn running<'a>(&self, running: impl Iterator<Item = (&'a str, f64, Kind, [&'a str; 3])>) {
        let mut shown = self.shown.lock();
        let old = std::mem::take(&mut *shown);
        for (arm, share, kind, [name, version, sha256]) in running {
            let [arm, name, version, sha256] = [arm, name, version, sha256].map(str::to_owned);
            let arm_label = OfArm { arm: arm.as_str().into() };
            let labels = Running { arm, kind: kind.name(), name, version, sha256 };
            self.info.get_or_create(&labels).set(1);
            self.share.get_or_create(&arm_label).set(share);
            shown.push(labels);
        }
        for old in old.iter().filter(|old| !shown.contains(old)) {
            self.info.remove(old);
            if !shown.iter().any(|running| running.arm == old.arm) {
                self.share.remove(&OfArm { arm: old.arm.as_str().into() });
            }
        }
    }
}
