//! One bundle in memory: a diarizer for streams and one for recordings, which share nothing that
//! one could wait for the other for. Where no bundle is named, their models are those that the
//! library has for each.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use voiceflow::model::ModelInfo;
use voiceflow::reload::{Failed, Step, prepare};
use voiceflow::{Call, Config, Diarizer, Error, Provider, ProviderPolicy};

use super::record::Record;
use super::source::Source;
use crate::config::{Model, ProviderName};
use crate::metrics::Kind;
use crate::priority;

/// The diarizers of one bundle.
pub struct Bundle {
    /// The arm that it was loaded for.
    pub arm: Arc<str>,
    /// For recordings.
    pub batch: Diarizer,
    /// For streams.
    pub live: Diarizer,
    /// When it was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Where it came from.
    pub source: Source,
    /// What it has done lately.
    pub record: Record,
    /// Streams that it can serve at once.
    streams: OnceLock<f64>,
    /// Since when it is there, and whether it stays whatever it does.
    since: Instant,
    accepted: AtomicBool,
    /// When another one took its place.
    retired: OnceLock<Instant>,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", name_of(self.info(Kind::Batch)), self.arm)
    }
}

impl Bundle {
    /// Loads `source` for an arm; where it is to take the place of another, all of it is made ready
    /// and tried. The threads that its networks for recordings have give way by `niceness`; what it
    /// has done is remembered for `window`.
    ///
    /// # Errors
    /// [`Failed`] with the step.
    pub(super) fn load(
        arm: &str,
        source: Source,
        replaces: bool,
        model: &Model,
        niceness: i32,
        window: Duration,
    ) -> Result<Self, Failed> {
        let failed = |error| Failed { step: Step::Load, error };
        let config = library_config(&source, model).map_err(failed)?;
        let load = |config: &Config| match replaces {
            true => prepare::<Diarizer>(config, &Call::none()),
            false => Diarizer::load(config, &Call::none()).map_err(failed),
        };
        // With run slots of its own: no stream waits for a recording. First, as what the library
        // starts once for all has the priority of whoever comes first.
        let live = load(&Diarizer::config_for_streams(&config))?;
        let load = || {
            // Threads have the priority of who starts them.
            priority::give_way(niceness);
            load(&config)
        };
        let batch = std::thread::scope(|scope| scope.spawn(load).join());
        let batch = batch.map_err(|_| failed(Error::Runtime("a panic while loading".to_owned())))??;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            arm: arm.into(),
            batch,
            live,
            loaded_at: since.map_or(0, |since| since.as_secs()),
            source,
            record: Record::new(window),
            streams: OnceLock::new(),
            since: Instant::now(),
            accepted: AtomicBool::new(false),
            retired: OnceLock::new(),
        })
    }

    /// The model that recordings have, or streams, where nobody asks for another.
    pub fn info(&self, kind: Kind) -> &ModelInfo {
        match kind {
            Kind::Batch => self.batch.model(),
            Kind::Live => self.live.model(),
        }
    }

    /// Its models, each once, with what has it where nobody asks for another.
    pub fn models(&self) -> Vec<(&ModelInfo, Vec<Kind>)> {
        let (batch, live) = (self.info(Kind::Batch), self.info(Kind::Live));
        if batch == live {
            return vec![(batch, vec![Kind::Batch, Kind::Live])];
        }
        vec![(batch, vec![Kind::Batch]), (live, vec![Kind::Live])]
    }

    /// Says how many streams it can serve at once.
    pub fn set_streams(&self, streams: f64) {
        self.streams.get_or_init(|| streams);
    }

    /// Streams that it can serve at once.
    pub fn streams(&self) -> f64 {
        self.streams.get().copied().unwrap_or(1.0)
    }

    /// Whether it has been there for less than `window`, and may have to go again.
    pub fn is_new(&self, window: Duration) -> bool {
        self.since.elapsed() < window && !self.accepted.load(Ordering::Relaxed)
    }

    /// Lets it stay, whatever it does.
    pub fn accept(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// How long another one has been in its place; `None` where it is used for what is new.
    pub fn retired_for(&self) -> Option<Duration> {
        self.retired.get().map(Instant::elapsed)
    }

    /// Says that another one has taken its place.
    pub(super) fn retire(&self) {
        self.retired.get_or_init(Instant::now);
    }
}

/// As clients name a model: `fast-cnn/2.0.0`.
pub fn name_of(model: &ModelInfo) -> String {
    match model {
        ModelInfo { name, version, .. } if version.is_empty() => name.clone(),
        ModelInfo { name, version, .. } => format!("{name}/{version}"),
    }
}

/// The options of the library for these of the server.
fn library_config(source: &Source, model: &Model) -> voiceflow::Result<Config> {
    let mut config = Config::default();
    if let Some(bundle) = source.bundle() {
        config.set_bundle(bundle);
    }
    if let Some(path) = &model.runtime {
        config.set_runtime_library(path);
    }
    if let Some(folder) = &model.cache {
        config.set_cache_folder(folder);
    }
    config.set_threads(model.threads)?;
    let (provider, policy) = match model.provider {
        ProviderName::Auto => (Provider::Auto, ProviderPolicy::Preferred),
        ProviderName::Cpu => (Provider::Cpu, ProviderPolicy::Required),
        ProviderName::Cuda => (Provider::Cuda, ProviderPolicy::Required),
        ProviderName::TensorRt => (Provider::TensorRt, ProviderPolicy::Required),
    };
    config.set_provider(provider, policy);
    Ok(config)
}
