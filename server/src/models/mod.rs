//! The models that are loaded: one diarizer for streams and one for recordings, which share nothing
//! that one could wait for the other for.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::RwLock;
use voiceflow::model::ModelInfo;
use voiceflow::{Call, Diarizer, Provider, ProviderPolicy};

use crate::config::{Model, ProviderName};
use crate::metrics::Metrics;
use crate::priority;

/// The diarizers of one bundle.
pub struct Bundle {
    /// For recordings.
    pub batch: Diarizer,
    /// For streams.
    pub live: Diarizer,
    /// When it was loaded, in seconds since 1970.
    pub loaded_at: u64,
}

impl Bundle {
    /// What diarizes recordings.
    pub fn info(&self) -> &ModelInfo {
        self.batch.model()
    }

    /// As clients name it: `fast-cnn/2.0.0`.
    pub fn name(&self) -> String {
        match self.info() {
            ModelInfo { name, version, .. } if version.is_empty() => name.clone(),
            ModelInfo { name, version, .. } => format!("{name}/{version}"),
        }
    }

    /// Whether a client that asks for `model` is answered by this bundle.
    pub fn answers_to(&self, model: &str) -> bool {
        model == self.info().name || model == self.name()
    }
}

/// What is loaded at the moment.
#[derive(Default)]
pub struct Models {
    current: RwLock<Option<Arc<Bundle>>>,
}

impl Models {
    /// The bundle, once it is loaded.
    pub fn current(&self) -> Option<Arc<Bundle>> {
        self.current.read().clone()
    }

    /// Loads the bundle of `model`; the threads that its networks for recordings have give way by
    /// `niceness`.
    ///
    /// # Errors
    /// Those of [`Diarizer::load`].
    pub fn load(&self, model: &Model, niceness: i32, metrics: &Metrics) -> voiceflow::Result<Arc<Bundle>> {
        let began = Instant::now();
        let config = library_config(model)?;
        let call = Call::none();
        // With run slots of its own: no stream waits for a recording. First, as what the library
        // starts once for all has the priority of whoever comes first.
        let live = Diarizer::load(&config, &call)?.for_streams(&call)?;
        let load = || {
            // Threads have the priority of who starts them.
            priority::give_way(niceness);
            Diarizer::load(&config, &Call::none())
        };
        let batch = std::thread::scope(|scope| scope.spawn(load).join());
        let batch = batch.map_err(|_| voiceflow::Error::Runtime("a panic while loading".to_owned()))??;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let bundle = Arc::new(Bundle { batch, live, loaded_at: since.map_or(0, |since| since.as_secs()) });
        metrics.model_load.set(began.elapsed().as_secs_f64());
        *self.current.write() = Some(bundle.clone());
        Ok(bundle)
    }
}

/// The options of the library for these of the server.
fn library_config(model: &Model) -> voiceflow::Result<voiceflow::Config> {
    let mut config = voiceflow::Config::default();
    if let Some(bundle) = &model.bundle {
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
