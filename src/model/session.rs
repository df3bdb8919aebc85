//! A loaded model that many threads may run at once.

use std::time::Duration;

use ndarray::{Array3, ArrayView2};
use ort::environment::Environment;

use super::contract::{self, ModelInfo, SAMPLE_RATE};
use super::golden::{Golden, golden_input};
use super::pool::Pool;
use super::slot::Slot;
use super::source::{self, Label, ModelBytes};
use super::watchdog::Watchdog;
use super::{provider, runtime};
use crate::config::{Config, MAX_BATCH, ModelSource};
use crate::control::Control;
use crate::error::{Error, Result, Stage};

/// Most samples in one row of a batch: 60 s.
pub const MAX_SAMPLES: usize = 60 * SAMPLE_RATE;

/// What the network gives for a batch. Kept by the caller from call to call: its memory is used again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inference {
    /// Probability, 0 to 1, that a local speaker speaks: [batch, frames, speakers].
    pub activity: Array3<f32>,
    /// Voice of each local speaker, of unit length, zeros where the speaker is silent: [batch, speakers, dim].
    pub embedding: Array3<f32>,
}

/// A loaded model with its run slots. Any thread may use it, concurrently; as many runs go on at once as the
/// option `slots` allows, others wait. Each slot holds the weights of the model once more; the first is made when
/// the session is, the others when they are first needed.
pub struct Session {
    info: ModelInfo,
    pool: Pool<Slot>,
    watchdog: Watchdog,
    environment: Environment,
    /// Options of further slots; without the model, which it would keep in memory.
    config: Config,
    /// How messages name the model.
    name: String,
    /// For the slots still to be made; `None` when the first is the only one.
    model: Option<ModelBytes>,
}

/// A model that was opened, before anything is asked of it.
pub(super) struct Opened {
    pub(super) session: Session,
    /// How it breaks the contract.
    pub(super) breaches: Vec<String>,
}

impl Session {
    /// Loads the model of `config` and checks it: the contract, and its golden vector where there is one
    /// (`golden.json` beside the file). Loads ONNX Runtime if this is the first session of the process.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`]: the file; [`Error::Model`]: not ONNX, or all
    /// breaches of the contract, or wrong results; [`Error::RuntimeNotFound`], [`Error::RuntimeVersion`],
    /// [`Error::InvalidArgument`]: ONNX Runtime, or no embedded model; [`Error::Provider`]: a required provider.
    pub fn new(config: &Config) -> Result<Self> {
        let Opened { session, breaches } = Self::open(config)?;
        let name = Label(config.model());
        if !breaches.is_empty() {
            return Err(Error::Model(format!(
                "{name} breaks the model contract:\n  {}",
                breaches.join("\n  ")
            )));
        }
        session.check_golden(config.model())?;
        Ok(session)
    }

    /// Opens the model and reads what it says of itself, whatever that is.
    pub(super) fn open(config: &Config) -> Result<Opened> {
        let model = source::read_model(config.model())?;
        let environment = runtime::environment(config.runtime_library())?;
        let (first, provider) = provider::open(&environment, &model, &Label(config.model()), config)?;
        let (info, breaches) = contract::read(&first, source::sha256(&model), provider);
        let mut without_model = config.clone();
        without_model.set_model(ModelSource::default());
        let session = Session {
            info,
            pool: Pool::new(Slot::new(first)?, config.slots()),
            watchdog: Watchdog::new(config.slots()),
            environment,
            config: without_model,
            name: Label(config.model()).to_string(),
            model: (config.slots() > 1).then_some(model),
        };
        Ok(Opened { session, breaches })
    }

    /// What the model says of itself, and the provider that runs it.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Runs the network on `audio` [batch, samples] (mono, 16 kHz, -1 to 1, best in standard layout: any other is
    /// copied) into `out`. Batch is 1 to 1024; samples are one frame step of the model to 60 s. Values that are
    /// not finite spoil the results of their own row; the caller checks for them.
    ///
    /// Waits for a free run slot. The deadline of `control` ends the waiting and, soon after it has passed, the
    /// run; its callback is asked while waiting only, for it belongs to this thread, which the run holds.
    ///
    /// Allocates nothing when the shape is that of an earlier call, except what ONNX Runtime and its binding
    /// need for themselves.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: the shape; [`Error::Limit`]: more than the batch or the samples allowed;
    /// [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Runtime`]: the network failed; [`Error::Model`]: its
    /// outputs break the contract. After an error `out` holds what it held before, and the session can be used
    /// again.
    pub fn infer(&self, audio: ArrayView2<f32>, out: &mut Inference, control: &Control) -> Result<()> {
        self.check_input(&audio)?;
        if control.remaining() == Some(Duration::ZERO) {
            return Err(control.deadline_error(Stage::Analysis));
        }
        let mut slot = self.pool.take(control, || self.make_slot())?;
        slot.run(&self.info, &self.watchdog, audio, out, control)
    }

    fn check_input(&self, audio: &ArrayView2<f32>) -> Result<()> {
        let (batch, samples) = audio.dim();
        let least = self.info.frame_step_samples.max(1);
        if batch > MAX_BATCH {
            return Err(Error::Limit(format!("audio: expected at most {MAX_BATCH} rows, got {batch}")));
        }
        if samples > MAX_SAMPLES {
            return Err(Error::Limit(format!(
                "audio: expected at most {MAX_SAMPLES} samples in a row, got {samples}"
            )));
        }
        if batch == 0 || samples < least {
            return Err(Error::InvalidArgument(format!(
                "audio: expected [batch, samples] with a batch of at least 1 and at least {least} samples, \
                 got [{batch}, {samples}]"
            )));
        }
        Ok(())
    }

    #[expect(clippy::expect_used, reason = "the model is kept wherever more than the first slot can be made")]
    fn make_slot(&self) -> Result<Slot> {
        let model = self.model.as_ref().expect("more than one slot is made only where the model was kept");
        let opened = provider::open_on(&self.environment, model, self.info.provider, &self.config);
        Slot::new(opened.map_err(|error| {
            Error::Runtime(format!("{}: no further run slot can be made: {error}", self.name))
        })?)
    }

    /// Runs the model on the golden input, where there is a golden vector for it, and compares.
    pub(super) fn check_golden(&self, source: &ModelSource) -> Result<()> {
        let Some(bytes) = source::read_golden(source)? else { return Ok(()) };
        let name = &self.name;
        let wrong = |reason| Error::Model(format!("{name}: golden vector: {reason}"));
        let Some(golden) = Golden::parse(&bytes, &self.info).map_err(wrong)? else {
            log::warn!("{name}: golden.json belongs to another model and is not used");
            return Ok(());
        };
        let mut found = Inference::default();
        self.infer(golden_input().view(), &mut found, &Control::none())?;
        golden.check(&found, self.info.provider).map_err(wrong)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A session is shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
};
