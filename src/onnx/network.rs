//! One ONNX file ready to run: its run slots, and what stops a run. Knows nothing of what the
//! tensors mean.

use std::fmt::Display;

use ort::environment::Environment;
use ort::session::{Session as OrtSession, SessionInputs};

use super::bytes::ModelBytes;
use super::description::Description;
use super::input_memory::InputMemory;
use super::provider::{Plans, Tuning};
use super::slot::Slot;
use super::tensors::Outputs;
use super::watchdog::Watchdog;
use super::{limits, provider, runtime};
use crate::call::Call;
use crate::config::{Config, ModelSource, Provider};
use crate::ending;
use crate::error::{Error, Result, Stage};
use crate::loading::Load;
use crate::memory;
use crate::pool::{Lease, Pool};
use crate::process::{Process, ProcessMutex};
use crate::sync::Mutex;

/// A network with its run slots. Any thread may run it, concurrently; as many runs go on at once as
/// the option `slots` allows, others wait. Each slot holds the weights once more; the first is made
/// when the network is opened, the others when they are first needed.
///
/// Belongs to the process that opened it: a child of fork(2) can only drop it.
pub(crate) struct Network {
    process: Process,
    memory: InputMemory,
    pool: Pool<Slot>,
    watchdog: Watchdog,
    environment: Environment,
    provider: Provider,
    /// Options of further slots; without the models, which it would keep in memory.
    config: Config,
    /// How messages name the network.
    name: String,
    plans: Plans,
    /// Most bytes of a constant that ONNX Runtime may compute while it makes a slot.
    largest_constant: Option<u64>,
    /// For the slots still to be made; `None` where there will be none.
    model: Option<ModelBytes>,
    /// Slots being made whose callers had no more time: the next that needs one goes on to wait for
    /// it.
    unfinished: Mutex<Vec<(Plans, Load<OrtSession>)>>,
}

impl Network {
    /// Opens `model` on the provider of `config`, and hands what it says of its tensors and
    /// metadata to `inspect`. Loads ONNX Runtime if this is the first network of the process. ONNX
    /// Runtime keeps no plans, so that inputs may have any shape. Between the steps `call` is asked
    /// whether the network is still wanted.
    ///
    /// # Errors
    /// [`Error::Model`]: not ONNX; [`Error::RuntimeNotFound`], [`Error::RuntimeVersion`],
    /// [`Error::InvalidArgument`]: ONNX Runtime; [`Error::Provider`]: a required provider;
    /// [`Error::Ending`]; [`Error::Cancelled`], [`Error::Deadline`].
    pub(crate) fn open<T>(
        model: &ModelBytes,
        name: &dyn Display,
        config: &Config,
        call: &Call<'_>,
        inspect: impl FnOnce(Description, Provider) -> T,
    ) -> Result<(Self, T)> {
        Self::open_with(model, name, config, Plans::None, call, inspect)
    }

    /// As [`Network::open`]; where ONNX Runtime keeps plans, inputs are run by
    /// [`Network::run_shape`].
    ///
    /// # Errors
    /// As [`Network::open`].
    pub(crate) fn open_with<T>(
        model: &ModelBytes,
        name: &dyn Display,
        config: &Config,
        plans: Plans,
        call: &Call<'_>,
        inspect: impl FnOnce(Description, Provider) -> T,
    ) -> Result<(Self, T)> {
        Self::open_session(model, name, config, plans, call, |session, provider| {
            inspect(Description::of(session, &name.to_string()), provider)
        })
    }

    /// As [`Network::open_with`], and hands over the session itself.
    pub(super) fn open_session<T>(
        model: &ModelBytes,
        name: &dyn Display,
        config: &Config,
        plans: Plans,
        call: &Call<'_>,
        inspect: impl FnOnce(&OrtSession, Provider) -> T,
    ) -> Result<(Self, T)> {
        let _work = ending::work()?;
        drop_kept();
        let environment = runtime::environment(config)?;
        call.check_wanted(Stage::Loading)?;
        let largest_constant = limits::check(model, name)?;
        let tuning = Tuning { plans, largest_constant };
        let (first, provider) = provider::open(&environment, model, name, config, tuning)?;
        call.check_wanted(Stage::Loading)?;
        let plans = if provider == Provider::Cpu { plans } else { Plans::None };
        let inspected = inspect(&first, provider);
        let mut without_model = config.clone();
        without_model.set_model(ModelSource::default());
        let network = Network {
            process: Process::current(),
            memory: InputMemory::new(&first, provider, config.device_id()),
            pool: Pool::new(Slot::new(first, plans)?, config.slots()),
            watchdog: Watchdog::new(config.slots()),
            environment,
            provider,
            config: without_model,
            name: name.to_string(),
            plans,
            largest_constant,
            model: (config.slots() > 1 || plans == Plans::Kept).then(|| model.clone()),
            unfinished: Mutex::default(),
        };
        Ok((network, inspected))
    }

    /// How messages name the network.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The provider that runs it: never [`Provider::Auto`].
    pub(crate) fn provider(&self) -> Provider {
        self.provider
    }

    /// Where the input of its runs is best put together.
    pub(crate) fn input_memory(&self) -> &InputMemory {
        &self.memory
    }

    /// # Errors
    /// [`Error::Forked`] in a child of the process that opened it; [`Error::Ending`].
    pub(crate) fn check_process(&self) -> Result<()> {
        self.process.check(&self.name)
    }

    /// Run slots that were made.
    pub(crate) fn slots(&self) -> usize {
        self.pool.made()
    }

    /// Most run slots that it makes.
    pub(crate) fn most_slots(&self) -> usize {
        self.config.slots()
    }

    /// Makes run slots until there are `slots`, or as many as there may be: before others use the
    /// network, since all are held for that.
    ///
    /// # Errors
    /// [`Error::Cancelled`] between two of them; those of opening the model.
    pub(crate) fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        let _work = ending::work()?;
        let slots = slots.min(self.most_slots());
        let mut taken = memory::with_capacity("run slots", slots)?;
        for _ in 0..slots {
            call.check_wanted(Stage::Loading)?;
            taken.push(self.take(&Call::none())?);
        }
        Ok(())
    }

    /// Waits for a free run slot, runs the network on `inputs` and hands its outputs to `read`. The
    /// deadline of `call` ends the waiting and, soon after it has passed, the run; its callback is
    /// asked while waiting only, for it belongs to this thread, which the run holds.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Runtime`]: the network failed;
    /// [`Error::Forked`]; those of `read`.
    pub(crate) fn run<'i, 'v: 'i, const N: usize, T>(
        &self,
        inputs: impl Into<SessionInputs<'i, 'v, N>>,
        call: &Call,
        read: impl FnOnce(Outputs<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let _work = ending::work()?;
        let mut slot = self.take(call)?;
        slot.run(inputs, &self.watchdog, call, read)
    }

    /// As [`Network::run`], for inputs of `shape`. A slot that meets too many shapes goes on
    /// without plans: its session is made anew.
    ///
    /// # Errors
    /// As [`Network::run`].
    pub(crate) fn run_shape<'i, 'v: 'i, const N: usize, T>(
        &self,
        shape: [usize; 2],
        inputs: impl Into<SessionInputs<'i, 'v, N>>,
        call: &Call,
        read: impl FnOnce(Outputs<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let _work = ending::work()?;
        let mut slot = self.take(call)?;
        if !slot.admits(shape) {
            *slot = self.make_slot(Plans::None, call)?;
        }
        slot.run(inputs, &self.watchdog, call, read)
    }

    fn take(&self, call: &Call) -> Result<Lease<'_, Slot>> {
        self.check_process()?;
        call.check_wanted(Stage::Analysis)?;
        self.pool.take(call, || self.make_slot(self.plans, call))
    }

    /// Makes another slot, as long as `call` allows: on a thread of its own where it may end.
    fn make_slot(&self, plans: Plans, call: &Call<'_>) -> Result<Slot> {
        let opened = if call.may_end() { self.load(plans, call) } else { self.opening(plans)() };
        let session = opened.map_err(|error| match error {
            Error::Cancelled { .. } | Error::Deadline { .. } => error,
            Error::Limit(text) => {
                Error::Limit(format!("{}: no further run slot can be made: {text}", self.name))
            }
            error => Error::Runtime(format!("{}: no further run slot can be made: {error}", self.name)),
        })?;
        Slot::new(session, plans)
    }

    /// Opens the model on a thread of its own, or waits for one that is at it and was given up.
    fn load(&self, plans: Plans, call: &Call<'_>) -> Result<OrtSession> {
        let mut unfinished = self.unfinished.lock();
        let at = unfinished.iter().position(|(kind, _)| *kind == plans);
        let given_up = at.map(|at| unfinished.swap_remove(at).1);
        drop(unfinished);
        let load = match given_up {
            Some(load) => load,
            None => {
                let open = self.opening(plans);
                Load::start(move |_| open())?
            }
        };
        // The caller asked for an analysis, and knows nothing of slots.
        let waited = load.wait(call, Stage::Analysis);
        if let Err(Error::Cancelled { .. } | Error::Deadline { .. }) = waited {
            self.unfinished.lock().push((plans, load));
        }
        waited
    }

    /// What opens the model once more, on any thread.
    #[expect(clippy::expect_used, reason = "the model is kept wherever more than the first slot can be made")]
    fn opening(&self, plans: Plans) -> impl FnOnce() -> Result<OrtSession> + Send + 'static {
        let model = self.model.clone().expect("another slot is made only where the model was kept");
        let (environment, provider, config) = (self.environment.clone(), self.provider, self.config.clone());
        let tuning = Tuning { plans, largest_constant: self.largest_constant };
        move || {
            let _work = ending::work()?;
            provider::open_on(&environment, &model, provider, &config, tuning)
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The memory before the sessions that lent it.
        let parts = (self.memory.take(), self.pool.take_all());
        let unfinished = std::mem::take(self.unfinished.get_mut());
        if !self.process.is_current() {
            // ONNX Runtime would wait for its threads, which stayed in the parent.
            std::mem::forget((parts, unfinished));
            return;
        }
        match ending::work() {
            Ok(_work) => {
                drop((parts, unfinished));
                drop_kept();
            }
            Err(_) => {
                // A session that is made meanwhile is dropped by the thread that makes it, or not
                // at all.
                std::mem::forget(unfinished);
                keep(parts);
            }
        }
    }
}

/// What a network leaves to ONNX Runtime when it is dropped.
type Parts = (InputMemory, Vec<Slot>);

/// Parts of networks that were dropped where ONNX Runtime could not free them: by a thread that was
/// ending. They wait for the next thread that can, or for the end of the process, and leak checkers
/// see that they are known.
static KEPT: ProcessMutex<Vec<(Process, Parts)>> = ProcessMutex::new(Vec::new());

/// Keeps what this process cannot free yet.
fn keep(parts: Parts) {
    match KEPT.lock() {
        Ok(mut kept) => kept.push((Process::current(), parts)),
        // A child of fork(2) that may not look at what its parent keeps.
        Err(_) => std::mem::forget(parts),
    }
}

/// Frees what was kept, on a thread that may work.
fn drop_kept() {
    let kept = KEPT.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default();
    for (process, parts) in kept {
        // What the parent of a child of fork(2) kept is not the child's to free.
        if !process.is_current() {
            std::mem::forget(parts);
        }
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A network is shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Network>();
};
