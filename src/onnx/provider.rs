//! Opens ONNX Runtime sessions on the execution provider asked for, and falls back to the CPU where
//! that is allowed. Does not look into the model.

use ort::environment::Environment;
use ort::ep::{self, ArenaExtendStrategy, ExecutionProviderDispatch};
use ort::session::Session as OrtSession;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::bytes::ModelBytes;
use super::optimized::{self, Graph};
use super::pool_threads::PoolThreads;
use super::{log_queue, runtime, threads};
use crate::config::{Config, Provider, ProviderPolicy};
use crate::error::{Error, Result};
use crate::process::{ProcessCount, ProcessMutex};

/// The sessions that are being created. ONNX Runtime creates them side by side, but leaves its
/// locks as they are in a child of fork(2).
static CREATIONS: ProcessCount = ProcessCount::new();

/// Sessions on a GPU are created one at a time: registering providers and starting CUDA is not safe
/// side by side.
static GPU_CREATION: ProcessMutex<()> = ProcessMutex::new(());

/// ONNX Runtime's name for [`Tuning::largest_constant`].
const LARGEST_CONSTANT: &str = "optimization.constant_folding_max_output_size_in_bytes";

/// Whether ONNX Runtime plans the memory of a run by those before it. Allocations are fewer and
/// runs faster, but it keeps a plan for every input shape ever seen: memory that grows with what
/// callers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plans {
    /// For networks whose shapes are few, on the CPU.
    Kept,
    /// For networks that meet any shape.
    None,
}

/// How sessions of a model are made, whatever the options of the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) plans: Plans,
    /// Most bytes of one constant that ONNX Runtime computes from others while it optimises the
    /// graph, from its version 1.27 on; `None` leaves it to ONNX Runtime, which takes up to 1 GiB
    /// for each.
    pub(crate) largest_constant: Option<u64>,
}

/// Opens the model on the provider of `config` and tells which one it became.
///
/// # Errors
/// [`Error::Model`] when it cannot be opened on the CPU either; [`Error::Limit`] when that takes
/// threads that cannot be had, [`Error::Runtime`] when it takes such memory; [`Error::Provider`]
/// when a required provider is not available; [`Error::InvalidArgument`]: the cache folder;
/// [`Error::Forked`] where this process was forked while a model was loaded.
pub(crate) fn open(
    environment: &Environment,
    model: &ModelBytes,
    name: &dyn std::fmt::Display,
    config: &Config,
    tuning: Tuning,
) -> Result<(OrtSession, Provider)> {
    if let Some(folder) = config.cache_folder() {
        optimized::prepare(folder)?;
    }
    let (asked, policy) = config.provider();
    let offered = runtime::available_providers();
    let wanted = match asked {
        Provider::Auto if offered.contains(&Provider::Cuda) => Provider::Cuda,
        Provider::Auto => Provider::Cpu,
        other => other,
    };
    let on_cpu = || {
        let opened = open_on(environment, model, Provider::Cpu, config, tuning);
        let session = opened.map_err(|error| match error {
            Error::Forked(_) | Error::Limit(_) => error,
            error if is_shortage(&error) => Error::Runtime(format!("{name}: cannot be opened: {error}")),
            error => Error::Model(format!("{name}: not a valid ONNX model: {error}")),
        })?;
        Ok((session, Provider::Cpu))
    };
    if wanted == Provider::Cpu {
        return on_cpu();
    }
    let refusal = if offered.contains(&wanted) {
        match open_on(environment, model, wanted, config, Tuning { plans: Plans::None, ..tuning }) {
            Ok(session) => return Ok((session, wanted)),
            Err(error) => error.to_string(),
        }
    } else {
        "the ONNX Runtime that is loaded does not have it".to_owned()
    };
    // A model that no provider can open is the model's fault, not the provider's: hence first the
    // CPU.
    let session = on_cpu()?;
    let names: Vec<&str> = offered.iter().map(|provider| provider.name()).collect();
    let text = format!(
        "expected {}, which is not available: {refusal}; this ONNX Runtime offers {}",
        wanted.name(),
        names.join(", ")
    );
    if policy == ProviderPolicy::Required && asked != Provider::Auto {
        return Err(Error::Provider(text));
    }
    log::warn!("provider: {text}; the network runs on the CPU");
    Ok(session)
}

/// `config` for the further networks of one that was opened: a provider that this ONNX Runtime does
/// not have is not warned of once more.
pub(crate) fn settled(config: &Config) -> Config {
    let mut config = config.clone();
    let (asked, policy) = config.provider();
    if asked != Provider::Auto && !runtime::available_providers().contains(&asked) {
        config.set_provider(Provider::Cpu, policy);
    }
    config
}

/// Whether `error` tells of a thread or of memory that the machine did not give. ONNX Runtime
/// reports both as it does faults of a model; its words alone tell them apart.
fn is_shortage(error: &Error) -> bool {
    let text = error.to_string();
    ["pthread_create failed", "std::bad_alloc", "Failed to allocate memory"]
        .iter()
        .any(|part| text.contains(part))
}

/// Opens the model on exactly `provider`, with the thread options of `config`; on the CPU through
/// the cache folder, where there is one.
///
/// # Errors
/// [`Error::Runtime`] with the reason of ONNX Runtime; [`Error::Limit`] where the system refuses a
/// thread; [`Error::Forked`].
pub(crate) fn open_on(
    environment: &Environment,
    model: &ModelBytes,
    provider: Provider,
    config: &Config,
    tuning: Tuning,
) -> Result<OrtSession> {
    let create = |bytes: &[u8], graph: Graph<'_>| {
        log_queue::hold(|| {
            let _counted = CREATIONS.enter()?;
            let _one_at_a_time = (provider != Provider::Cpu).then(|| GPU_CREATION.lock()).transpose()?;
            let threads = threads::thread_count(config.threads());
            let pool = PoolThreads::start(threads)?;
            dispatch(provider, config, model)
                .and_then(|providers| {
                    let builder = builder(environment, providers, tuning)?;
                    let builder = builder.with_intra_threads(threads)?.with_thread_manager(pool)?;
                    commit(builder, bytes, graph)
                })
                .map_err(|error| Error::Runtime(error.to_string()))
        })
    };
    match config.cache_folder() {
        Some(folder) if provider == Provider::Cpu => optimized::open(folder, model, create),
        _ => create(model, Graph::Original),
    }
}

fn builder(
    environment: &Environment,
    providers: Vec<ExecutionProviderDispatch>,
    tuning: Tuning,
) -> ort::Result<SessionBuilder> {
    let builder = OrtSession::builder(environment)?
        .with_execution_providers(providers)?
        .with_inter_threads(1)?
        // Threads that spin while they wait would take the host's processors.
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?
        .with_memory_pattern(tuning.plans == Plans::Kept)?
        // Not ORT's own format, which is trusted more than a model from outside should be.
        .with_config_entry("session.load_model_format", "ONNX")?;
    match tuning.largest_constant {
        Some(bytes) => Ok(builder.with_config_entry(LARGEST_CONSTANT, bytes.to_string())?),
        None => Ok(builder),
    }
}

fn commit(builder: SessionBuilder, model: &[u8], graph: Graph<'_>) -> ort::Result<OrtSession> {
    let mut builder = match graph {
        Graph::Original => builder,
        Graph::SavedTo(path) => {
            builder.with_config_entry("session.save_model_format", "ONNX")?.with_optimized_model_path(path)?
        }
        Graph::Optimized => builder.with_optimization_level(GraphOptimizationLevel::Disable)?,
    };
    builder.commit_from_memory(model)
}

/// What runs the nodes of `model`, the first that can.
fn dispatch(
    provider: Provider,
    config: &Config,
    model: &ModelBytes,
) -> ort::Result<Vec<ExecutionProviderDispatch>> {
    let cuda = || cuda(config).build().error_on_failure();
    Ok(match provider {
        Provider::Auto | Provider::Cpu => Vec::new(),
        Provider::Cuda => vec![cuda()],
        // Nodes that TensorRT does not know stay on the GPU.
        Provider::TensorRt => vec![tensorrt(config, model)?.build().error_on_failure(), cuda()],
    })
}

fn cuda(config: &Config) -> ep::CUDA {
    // EXHAUSTIVE, the default, tunes anew at every new shape (onnxruntime issue 19838).
    let cuda = ep::CUDA::default()
        .with_device_id(config.device_id())
        .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic);
    match memory_limit(config) {
        // The default doubles what it takes each time, and so takes up to twice what is needed.
        Some(bytes) => {
            cuda.with_memory_limit(bytes).with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        }
        None => cuda,
    }
}

fn tensorrt(config: &Config, model: &ModelBytes) -> ort::Result<ep::TensorRT> {
    let mut tensorrt = ep::TensorRT::default().with_device_id(config.device_id());
    if let Some(bytes) = memory_limit(config) {
        tensorrt = tensorrt.with_max_workspace_size(bytes);
    }
    if let Some(folder) = config.cache_folder() {
        let folder = folder.to_str().ok_or_else(|| {
            let shown = folder.display();
            ort::Error::new(format!("cache_folder: expected a path in UTF-8 for TensorRT, got {shown}"))
        })?;
        tensorrt = tensorrt
            .with_engine_cache(true)
            .with_engine_cache_path(folder)
            // By itself it tells models apart by the names of their nodes, which another training
            // does not change.
            .with_engine_cache_prefix(model.sha256())
            .with_timing_cache(true)
            .with_timing_cache_path(folder);
    }
    Ok(tensorrt)
}

/// Most memory of a run slot in bytes. A number that this machine cannot count to is no limit to
/// it.
fn memory_limit(config: &Config) -> Option<usize> {
    Some(config.device_memory_limit()).filter(|bytes| *bytes > 0).and_then(|bytes| bytes.try_into().ok())
}
