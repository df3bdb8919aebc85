//! Opens ONNX Runtime sessions on the execution provider asked for, and falls back to the CPU where that is
//! allowed. Does not look into the model.

use ort::environment::Environment;
use ort::ep::{self, ExecutionProviderDispatch};
use ort::session::Session as OrtSession;

use super::process::ProcessMutex;
use super::{log_queue, runtime, threads};
use crate::config::{Config, Provider, ProviderPolicy};
use crate::error::{Error, Result};

/// Sessions are created one at a time: registering providers and starting CUDA is not safe side by side.
static CREATION: ProcessMutex<()> = ProcessMutex::new(());

/// Whether ONNX Runtime plans the memory of a run by those before it. Allocations are fewer and runs faster, but it keeps
/// a plan for every input shape ever seen: memory that grows with what callers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plans {
    /// For networks whose shapes are few, on the CPU.
    Kept,
    /// For networks that meet any shape.
    None,
}

/// Opens the model on the provider of `config` and tells which one it became.
///
/// # Errors
/// [`Error::Model`] when it cannot be opened on the CPU either; [`Error::Provider`] when a required provider is
/// not available; [`Error::Forked`] where this process was forked while a model was loaded.
pub(super) fn open(
    environment: &Environment,
    model: &[u8],
    name: &dyn std::fmt::Display,
    config: &Config,
    plans: Plans,
) -> Result<(OrtSession, Provider)> {
    let (asked, policy) = config.provider();
    let offered = runtime::available_providers();
    let wanted = match asked {
        Provider::Auto if offered.contains(&Provider::Cuda) => Provider::Cuda,
        Provider::Auto => Provider::Cpu,
        other => other,
    };
    let on_cpu = || {
        let opened = open_on(environment, model, Provider::Cpu, config, plans);
        let session = opened.map_err(|error| match error {
            Error::Forked(_) => error,
            error => Error::Model(format!("{name}: not a valid ONNX model: {error}")),
        })?;
        Ok((session, Provider::Cpu))
    };
    if wanted == Provider::Cpu {
        return on_cpu();
    }
    let refusal = if offered.contains(&wanted) {
        match open_on(environment, model, wanted, config, Plans::None) {
            Ok(session) => return Ok((session, wanted)),
            Err(error) => error.to_string(),
        }
    } else {
        "the ONNX Runtime that is loaded does not have it".to_owned()
    };
    // A model that no provider can open is the model's fault, not the provider's: hence first the CPU.
    let session = on_cpu()?;
    let names: Vec<&str> = offered.iter().map(|provider| provider.name()).collect();
    let text = format!(
        "provider: expected {}, which is not available: {refusal}; this ONNX Runtime offers {}",
        wanted.name(),
        names.join(", ")
    );
    if policy == ProviderPolicy::Required && asked != Provider::Auto {
        return Err(Error::Provider(text));
    }
    log::warn!("{text}; the network runs on the CPU");
    Ok(session)
}

/// Opens the model on exactly `provider`, with the thread options of `config`.
///
/// # Errors
/// [`Error::Runtime`] with the reason of ONNX Runtime; [`Error::Forked`].
pub(super) fn open_on(
    environment: &Environment,
    model: &[u8],
    provider: Provider,
    config: &Config,
    plans: Plans,
) -> Result<OrtSession> {
    log_queue::hold(|| {
        let _one_at_a_time = CREATION.lock()?;
        build(environment, model, provider, config, plans).map_err(|error| Error::Runtime(error.to_string()))
    })
}

fn build(
    environment: &Environment,
    model: &[u8],
    provider: Provider,
    config: &Config,
    plans: Plans,
) -> ort::Result<OrtSession> {
    OrtSession::builder(environment)?
        .with_execution_providers(dispatch(provider, config.device_id()))?
        .with_intra_threads(threads::thread_count(config.threads()))?
        .with_inter_threads(1)?
        // Threads that spin while they wait would take the host's processors.
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?
        .with_memory_pattern(plans == Plans::Kept)?
        // Not ORT's own format, which is trusted more than a model from outside should be.
        .with_config_entry("session.load_model_format", "ONNX")?
        .commit_from_memory(model)
}

fn dispatch(provider: Provider, device_id: i32) -> Vec<ExecutionProviderDispatch> {
    let dispatch: ExecutionProviderDispatch = match provider {
        Provider::Auto | Provider::Cpu => return Vec::new(),
        // EXHAUSTIVE, the default, tunes anew at every new shape (onnxruntime issue 19838).
        Provider::Cuda => ep::CUDA::default()
            .with_device_id(device_id)
            .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic)
            .build(),
        Provider::TensorRt => ep::TensorRT::default().with_device_id(device_id).build(),
    };
    vec![dispatch.error_on_failure()]
}
