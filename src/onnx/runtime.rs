//! Loads ONNX Runtime and keeps the one environment of the process: created by the first session,
//! shared by all and never dropped, because a second one cannot be made. Its log goes to the `log`
//! crate, target `onnxruntime`.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider};
use ort::logging::LogLevel;

use super::log_queue;
use super::search::{self, Place};
use super::system_loader;
use crate::config::{Config, Provider};
use crate::ending;
use crate::error::{Error, Result, Tried};
use crate::process::ProcessMutex;
use crate::process::environment;

/// The runtime of this process. The lock is also what makes loading happen once.
static RUNTIME: ProcessMutex<Option<Runtime>> = ProcessMutex::new(None);

struct Runtime {
    environment: Environment,
    /// The library, symbolic links resolved.
    file: PathBuf,
    /// Whether its telemetry was left as it is, and not switched off.
    telemetry: bool,
}

/// What switches the telemetry of ONNX Runtime off (from its version 1.29 on). It is read while the
/// environment is made and never again; the interface has a switch too, but only for an environment
/// that has already begun to send.
const TELEMETRY_OFF: &CStr = c"ORT_DISABLE_TELEMETRY=1";

/// The environment of the process; the first call loads ONNX Runtime from the library of `config`
/// or the usual places, with its telemetry off unless `config` allows it. A load that failed can be
/// tried again.
///
/// # Errors
/// [`Error::RuntimeNotFound`] with all places tried, also for a file that is no ONNX Runtime;
/// [`Error::RuntimeVersion`] when only an older one was found; [`Error::InvalidArgument`] when
/// another library than the one asked for is already loaded, or with another choice about its
/// telemetry; [`Error::Runtime`] when it does not start; [`Error::Forked`] where this process was
/// forked while another thread loaded it.
pub(crate) fn environment(config: &Config) -> Result<Environment> {
    log_queue::hold(|| locked_environment(config))
}

fn locked_environment(config: &Config) -> Result<Environment> {
    let mut runtime = RUNTIME.lock()?;
    if let Some(runtime) = &*runtime {
        check_same(runtime, config)?;
        // The host may have another logger by now.
        runtime.environment.set_log_level(level_wanted());
        return Ok(runtime.environment.clone());
    }
    let telemetry = config.telemetry().unwrap_or(false);
    let start = || start(config.runtime_library(), telemetry);
    let loaded = if telemetry { start() } else { environment::with(TELEMETRY_OFF, start) }?;
    let text = format!("ONNX Runtime loaded from {}", loaded.file.display());
    log_queue::record(log::Level::Debug, text);
    Ok(runtime.insert(loaded).environment.clone())
}

/// Loads ONNX Runtime and makes its environment.
fn start(option: Option<&PathBuf>, telemetry: bool) -> Result<Runtime> {
    let places = search::named(option).map_or_else(search::usual, |place| vec![place]);
    let library = load_first(&places)?;
    let environment = create_environment(&library, telemetry)?;
    Ok(Runtime { environment, file: canonical(library), telemetry })
}

/// `library` with symbolic links resolved.
fn canonical(library: PathBuf) -> PathBuf {
    std::fs::canonicalize(&library).unwrap_or(library)
}

/// Which ONNX Runtime this process uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// The library, symbolic links resolved.
    pub path: PathBuf,
    /// Its version where the file's name tells it, as in `libonnxruntime.so.1.31.1`.
    pub version: Option<String>,
}

/// Loads ONNX Runtime as the first session would, if none is loaded yet, and tells which it is.
///
/// # Errors
/// [`Error::RuntimeNotFound`], [`Error::RuntimeVersion`], [`Error::InvalidArgument`],
/// [`Error::Runtime`], [`Error::Forked`], [`Error::Ending`].
pub fn load(config: &Config) -> Result<RuntimeInfo> {
    let _work = ending::work()?;
    environment(config)?;
    let path = loaded_file()?;
    let version = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".so."));
    let version = version.map(|(_, version)| version.to_owned());
    Ok(RuntimeInfo { path, version })
}

/// The file of the loaded runtime; empty where none is loaded.
fn loaded_file() -> Result<PathBuf> {
    Ok(RUNTIME.lock()?.as_ref().map(|runtime| runtime.file.clone()).unwrap_or_default())
}

/// What tells the loaded runtime from others: how it was built, and the name and the size of its
/// file. The build alone names its commit, and not always.
///
/// # Errors
/// [`Error::Forked`].
pub(crate) fn identity() -> Result<String> {
    let file = loaded_file()?;
    let name = file.file_name().unwrap_or_default().display();
    let size = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    Ok(format!("{}, {name}, {size} bytes", ort::info()))
}

/// The providers that the loaded runtime was built with; the CPU alone where none is loaded.
/// Whether there is hardware for them shows when a model is opened.
pub fn available_providers() -> Vec<Provider> {
    let mut offered = vec![Provider::Cpu];
    let work = ending::work();
    if work.is_err() || RUNTIME.lock().map_or(true, |runtime| runtime.is_none()) {
        return offered;
    }
    if ep::CUDA::is_available().unwrap_or(false) {
        offered.push(Provider::Cuda);
    }
    if ep::TensorRT::is_available().unwrap_or(false) {
        offered.push(Provider::TensorRt);
    }
    offered
}

/// Checks that `config` asks for nothing else than what is loaded.
fn check_same(runtime: &Runtime, config: &Config) -> Result<()> {
    check_telemetry(runtime.telemetry, config.telemetry())?;
    check_library(&runtime.file, config.runtime_library())
}

fn check_telemetry(loaded: bool, asked: Option<bool>) -> Result<()> {
    if asked.is_none_or(|asked| asked == loaded) {
        return Ok(());
    }
    let name = |on| if on { "on" } else { "off" };
    Err(Error::invalid(
        "telemetry",
        format!(
            "expected {}, as this process has loaded ONNX Runtime with it, got {}; the first session of the \
         process decides",
            name(loaded),
            name(!loaded)
        ),
    ))
}

fn check_library(loaded: &Path, option: Option<&PathBuf>) -> Result<()> {
    let Some(option) = option else { return Ok(()) };
    let asked = std::path::absolute(option).unwrap_or_else(|_| option.clone());
    if std::fs::canonicalize(&asked).is_ok_and(|file| file == loaded) {
        return Ok(());
    }
    Err(Error::invalid(
        "runtime_library",
        format!(
            "this process has loaded ONNX Runtime from {} and cannot load another, got {}",
            loaded.display(),
            asked.display()
        ),
    ))
}

/// Loads the first library of `places` that can be used and tells which it was.
fn load_first(places: &[Place]) -> Result<PathBuf> {
    let mut tried = Vec::new();
    let mut too_old = false;
    for place in places {
        if place.files.is_empty() {
            tried.push(at(&place.name, "no ONNX Runtime there".to_owned()));
        }
        for file in &place.files {
            match load_file(file) {
                Ok(library) => return Ok(library),
                Err(Refusal { reason, old }) => {
                    tried.push(at(&place.name, reason));
                    too_old |= old;
                }
            }
        }
    }
    if environment::elevated() {
        tried.push(at("", search::PASSED_OVER.to_owned()));
    }
    Err(if too_old { Error::RuntimeVersion { tried } } else { Error::RuntimeNotFound { tried } })
}

fn at(place: &str, reason: String) -> Tried {
    Tried { place: place.to_owned(), reason }
}

/// Why a library cannot be used.
struct Refusal {
    reason: String,
    /// It is an ONNX Runtime, but an old one.
    old: bool,
}

/// Loads `file`, and tells which it is where the system's loader looks for it. `ort` keeps the
/// first library that loads and whose version is high enough; after a failure it takes another.
fn load_file(file: &Path) -> std::result::Result<PathBuf, Refusal> {
    let refuse = |reason| Refusal { reason, old: false };
    if file.is_absolute() && !file.exists() {
        return Err(refuse(format!("{}: no such file", file.display())));
    }
    let cannot_load = |reason: String| refuse(format!("{}: cannot be loaded: {reason}", file.display()));
    let found =
        if file.is_absolute() { Ok(file.to_owned()) } else { system_loader::load(file, c"OrtGetApiBase") };
    let library = found.map_err(cannot_load)?;
    // It panics when the library answers with a null pointer.
    let loaded = catch_unwind(|| ort::init_from(&library))
        .map_err(|_| refuse(format!("{}: not an ONNX Runtime (no interface)", file.display())))?;
    match loaded {
        Ok(_) => Ok(library),
        Err(LoadDynamicError::BadVersion { version_str, path }) => {
            let (path, least) = (path.display(), ort::MINOR_VERSION);
            let reason =
                format!("{path}: ONNX Runtime {version_str} is too old, 1.{least} or newer is needed");
            Err(Refusal { reason, old: true })
        }
        Err(LoadDynamicError::MissingApi { path }) => {
            Err(refuse(format!("{}: not an ONNX Runtime (it has no OrtGetApiBase)", path.display())))
        }
        Err(LoadDynamicError::Dlopen { error, .. }) => Err(cannot_load(with_cause(&error))),
        Err(error) => Err(refuse(format!("{}: {error}", file.display()))),
    }
}

/// The message of `error` and of what caused it.
fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn create_environment(library: &Path, telemetry: bool) -> Result<Environment> {
    let build = || {
        let builder = ort::init_from(library).map_err(|error| error.to_string())?;
        let logger = Arc::new(forward_log as fn(LogLevel, &str, &str, &str, &str));
        let environment = builder
            .with_name("voiceflow")
            .with_telemetry(telemetry)
            .with_logger(logger)
            .build()
            .map_err(|error| error.to_string())?;
        // It starts with every message turned on, and each costs time even when nobody reads it.
        environment.set_log_level(level_wanted());
        Ok(environment)
    };
    // `ort` panics when the library denies the interface that its version promises.
    let built = catch_unwind(AssertUnwindSafe(build))
        .unwrap_or_else(|_| Err(format!("it does not offer interface {}", ort::MINOR_VERSION)));
    built.map_err(|reason: String| {
        Error::Runtime(format!("{}: ONNX Runtime does not start: {reason}", library.display()))
    })
}

/// The messages that ONNX Runtime is to write at all, by what the host's logger takes at this
/// moment.
fn level_wanted() -> LogLevel {
    match log::max_level() {
        log::LevelFilter::Trace => LogLevel::Verbose,
        log::LevelFilter::Debug => LogLevel::Info,
        _ => LogLevel::Warning,
    }
}

/// A part of the warning that comes with every optimised model that is saved: it suits this kind of
/// processor alone. The names of the saved files see to that.
const EXPECTED_WARNING: &str = "may contain hardware specific optimizations";

/// Called by ONNX Runtime, through which no panic may pass.
fn forward_log(level: LogLevel, _category: &str, _id: &str, location: &str, message: &str) {
    _ = catch_unwind(|| record_log(level, location, message));
}

fn record_log(level: LogLevel, location: &str, message: &str) {
    if message.contains(EXPECTED_WARNING) {
        return;
    }
    let level = match level {
        LogLevel::Verbose => log::Level::Trace,
        LogLevel::Info => log::Level::Debug,
        LogLevel::Warning => log::Level::Warn,
        LogLevel::Error | LogLevel::Fatal => log::Level::Error,
    };
    log_queue::record(level, format!("{message} ({location})"));
}
