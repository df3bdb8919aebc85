//! The life of the server: start, work, drain.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admission::Admission;
use crate::auth::Auth;
use crate::config::{Arguments, Config};
use crate::http::{self, App};
use crate::listen::{self, Tls};
use crate::live;
use crate::metrics::{Kind, Metrics};
use crate::models::{Models, name_of};
use crate::rollout::Rollout;
use crate::traces::Traces;
use crate::voices::Voices;
use crate::work::batch::BatchQueue;
use crate::work::live::LiveLane;
use crate::work::shadow::Shadow;

/// What is said where recordings have the model of streams and nobody asked for that.
const NO_ACCURATE_MODELS: &str = "accurate is not in this build (Cargo feature accurate-model), nor installed for it: \
     recordings are diarized with the model of streams";

/// Threads that read and write sockets; all else has threads of its own.
const SOCKET_THREADS: usize = 2;

/// How the server ended.
pub enum Ended {
    /// All that was under way was ended.
    Drained,
    /// Something was cut off.
    CutOff,
}

/// Runs the server until a signal ends it.
///
/// # Errors
/// Why it could not start.
pub fn run(arguments: Arguments, config: Config) -> Result<Ended, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(SOCKET_THREADS)
        .thread_name("sockets")
        .enable_all()
        .build()
        .map_err(|error| format!("threads: {error}"))?;
    let ended = runtime.block_on(serve(arguments, config));
    // Work that was cut off ends with the process.
    runtime.shutdown_background();
    ended
}

async fn serve(arguments: Arguments, config: Config) -> Result<Ended, String> {
    let mut signals = Signals::new()?;
    let auth = Auth::new(config.auth.tokens.as_deref(), config.tls.client_ca.is_some())?;
    let voices = Arc::new(Voices::new(&config.voices)?);
    let (public, admin) = config.listen.addresses()?;
    let (public, admin) = (listen::bind(public).await?, listen::bind(admin).await?);
    let metrics = Arc::new(Metrics::new());
    let traces = Traces::start(&config.traces)?;
    let tls = Tls::new(&config.tls, config.auth.tokens.is_some(), metrics.clone())?;
    let models = Arc::new(Models::new(&config, metrics.clone())?);
    let workers = match config.batch.workers {
        0 => (cores() / 2).max(1),
        workers => workers,
    };
    let niceness = config.batch.niceness;
    let queue = Arc::new(BatchQueue::new(workers, config.batch.waiting, niceness, metrics.clone()));
    let threads = queue.start().map_err(|error| format!("threads: {error}"))?;
    let workers = if config.live.workers == 0 { cores() } else { config.live.workers };
    let lane = Arc::new(LiveLane::new(workers, queue.clone(), metrics.clone()));
    let live_threads = lane.start().map_err(|error| format!("threads: {error}"))?;
    let delay = Arc::downgrade(&lane);
    queue.watch_live(Box::new(move || delay.upgrade().map_or(Duration::ZERO, |live| live.delay_p99())));
    let shadow = Shadow::new(
        models.clone(),
        queue.clone(),
        metrics.clone(),
        (config.shadow.share, config.shadow.niceness),
    );
    let shadow_threads = shadow.start().map_err(|error| format!("threads: {error}"))?;
    queue.compare_by(&shadow);
    lane.compare_by(shadow.clone());
    let admission = Arc::new(Admission::new(&config, models.clone(), queue.clone(), metrics.clone()));
    let rollout = Arc::new(Rollout::new(
        &config,
        models.clone(),
        voices.clone(),
        admission.clone(),
        metrics.clone(),
        workers,
    ));
    announce(&public, tls.is_some(), &admin)?;
    let (close, closing) = watch::channel(false);
    let app = Arc::new(App {
        config: config.clone(),
        models: models.clone(),
        rollout: rollout.clone(),
        auth,
        admission,
        live: lane.clone(),
        voices,
        metrics: metrics.clone(),
        closing: closing.clone(),
    });
    let mut listeners = JoinSet::new();
    listeners.spawn(listen::serve(
        public,
        tls.clone(),
        http::public(app.clone(), live_routes()),
        config.listen.clone(),
        closing,
    ));
    // Metrics are read to the end.
    let (_open, never) = watch::channel(false);
    tokio::spawn(listen::serve(admin, None, http::admin(app.clone()), config.listen.clone(), never));

    let hangup = signal(SignalKind::hangup()).map_err(|error| format!("signals: {error}"))?;
    tokio::spawn(reload(app.clone(), arguments, tls.clone(), hangup));
    if let Some(tls) = tls {
        tokio::spawn(tls.watch());
    }

    let starting = rollout.clone();
    let mut load = tokio::task::spawn_blocking(move || starting.start());
    tokio::select! {
        loaded = &mut load => {
            loaded.map_err(|error| error.to_string())??;
            for arm in models.fleet().iter().flat_map(|fleet| &fleet.arms) {
                let (batch, live) = (arm.bundle.info(Kind::Batch), arm.bundle.info(Kind::Live));
                let (model, live_model) = (name_of(batch), name_of(live));
                let (name, provider) = (&*arm.name, batch.provider.name());
                tracing::info!(arm = name, model, live_model, sha256 = batch.sha256, provider, "loaded");
                if arm.bundle.source.name.is_none() && batch == live {
                    tracing::info!(model, "{NO_ACCURATE_MODELS}");
                }
            }
            tracing::info!(streams = app.metrics.stream_capacity.get(), "ready");
            tokio::spawn(rollout.clone().watch());
            tokio::spawn(rollout.guard());
            signals.next().await;
        }
        () = signals.next() => {
            app.admission.drain();
            // ONNX Runtime's destructors, which run as the process ends, must not meet a load, and
            // one that is cancelled goes on by itself.
            tokio::select! {
                _ = &mut load => {}
                () = signals.next() => return Ok(Ended::CutOff),
            }
        }
    }

    app.admission.drain();
    tracing::info!("draining");
    let drained = async {
        tokio::time::sleep(Duration::from_secs_f64(config.drain.delay_s)).await;
        close.send_replace(true);
        while listeners.join_next().await.is_some() {}
    };
    let limit = Duration::from_secs_f64(config.drain.delay_s + config.drain.length_s);
    let ended = tokio::select! {
        drained = tokio::time::timeout(limit, drained) => drained.is_ok(),
        () = signals.next() => false,
    };
    queue.end();
    lane.end();
    shadow.end();
    if !ended {
        return Ok(Ended::CutOff);
    }
    // Idle by now: whoever waited for a worker was answered, or went away.
    let joined = tokio::task::spawn_blocking(move || {
        let mut all = threads.into_iter().chain(live_threads).chain(shadow_threads);
        let joined = all.all(|thread| thread.join().is_ok());
        traces.end();
        joined
    });
    Ok(if joined.await.unwrap_or(false) { Ended::Drained } else { Ended::CutOff })
}

/// Reads tokens, certificates, and which models run again at each SIGHUP.
async fn reload(app: Arc<App>, arguments: Arguments, tls: Option<Arc<Tls>>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match app.auth.reload(app.config.auth.tokens.as_deref()) {
            Ok(()) => tracing::info!("tokens are read again"),
            Err(error) => tracing::error!(error, "tokens stay as they are"),
        }
        if let Some(tls) = &tls {
            tls.reload();
        }
        match Config::load(&arguments, std::env::vars_os()) {
            // Before they are loaded there is nothing to change.
            Ok(config) if app.models.fleet().is_some() => app.rollout.configure(&config).await,
            Ok(_) => {}
            Err(error) => tracing::error!(error, "arms stay as they are"),
        }
    }
}

fn live_routes() -> Router<Arc<App>> {
    Router::new().route("/v1/audio/diarizations/stream", get(live::stream))
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, String> {
        let of = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Processors that this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Prints where the server listens: the ports may have been chosen by the system.
fn announce(
    public: &tokio::net::TcpListener,
    tls: bool,
    admin: &tokio::net::TcpListener,
) -> Result<(), String> {
    let address = |listener: &tokio::net::TcpListener| -> Result<SocketAddr, String> {
        listener.local_addr().map_err(|error| error.to_string())
    };
    let scheme = if tls { "https" } else { "http" };
    let text = format!(
        "listening on {scheme}://{}\nmetrics on http://{}/metrics\n",
        address(public)?,
        address(admin)?
    );
    let mut out = std::io::stdout().lock();
    // Whoever closed standard output does not want to know.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}
