//! The arguments by which every command that runs a model says where and with which library it
//! runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use voiceflow::{Config, Error, Provider, ProviderPolicy};

use crate::exit::Failure;
use crate::flags::in_flags;

/// Arguments of `diarize`, `enroll`, `identify`, `validate`, `import-model`, `bench` and `info`.
#[derive(Args)]
#[command(next_help_heading = "Runtime")]
pub struct RuntimeArgs {
    /// Hardware that runs the network; one other than auto that is not available falls back to cpu
    /// with a warning
    #[arg(long, value_enum, default_value_t = ProviderArg::Auto)]
    provider: ProviderArg,
    /// Fail where the provider is not available
    #[arg(long)]
    require_provider: bool,
    /// Number of the GPU, 0 to 63
    #[arg(long, value_name = "N", default_value_t = 0)]
    device_id: i32,
    /// Most bytes that ONNX Runtime takes on a GPU for one run of the network at a time, 1048576 to
    /// 1099511627776; 0 is no limit
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    device_memory: u64,
    /// Keep models in this folder as they are optimised for this processor, so that they load
    /// faster the next time; whoever can write to it decides what runs
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Threads that run the network; 0 is one for each physical core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// ONNX Runtime library to use (else VOICEFLOW_ORT_LIBRARY, ORT_DYLIB_PATH and the usual
    /// places)
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
    /// Leave the telemetry of ONNX Runtime on, which writes below the home folder and sends data to
    /// Microsoft; it is switched off otherwise
    #[arg(long)]
    telemetry: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProviderArg {
    Auto,
    Cpu,
    Cuda,
    #[value(name = "tensorrt")]
    TensorRt,
}

impl RuntimeArgs {
    /// Threads asked for; 0 where the machine decides.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The default options with these arguments set.
    pub fn config(&self) -> Result<Config, Failure> {
        let provider = match self.provider {
            ProviderArg::Auto => Provider::Auto,
            ProviderArg::Cpu => Provider::Cpu,
            ProviderArg::Cuda => Provider::Cuda,
            ProviderArg::TensorRt => Provider::TensorRt,
        };
        let policy = if self.require_provider { ProviderPolicy::Required } else { ProviderPolicy::Preferred };
        let mut config = Config::default();
        config.set_provider(provider, policy);
        config.set_device_id(self.device_id).map_err(usage)?;
        config.set_device_memory_limit(self.device_memory).map_err(usage)?;
        if let Some(folder) = &self.cache {
            config.set_cache_folder(folder.clone());
        }
        config.set_threads(self.threads).map_err(usage)?;
        if let Some(path) = &self.runtime {
            config.set_runtime_library(path.clone());
        }
        config.set_telemetry(self.telemetry);
        Ok(config)
    }
}

/// An option out of range is the fault of the arguments.
pub fn usage(error: Error) -> Failure {
    Failure::Usage(match error {
        Error::InvalidArgument(argument) => in_flags(&argument),
        other => other.to_string(),
    })
}
