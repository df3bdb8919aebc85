//! A loaded model that many threads may run at once.

use std::sync::Arc;

use ndarray::ArrayView2;

use super::inference::Inference;
use crate::call::Call;
use crate::config::{Config, MAX_BATCH, ModelSource, Provider, ProviderPolicy};
use crate::diarize::clustering::Vbx;
use crate::ending;
use crate::error::{Error, Result, Stage};
use crate::loading;
use crate::memory;
use crate::model::bundle::{Bundle, JointSaid};
use crate::model::contract::{self, AUDIO, ModelInfo, SAMPLE_RATE};
use crate::model::golden::{Golden, golden_input};
use crate::model::plda_property;
use crate::model::source::{self, Label};
use crate::model::tuning::{Kind, Stated, Tuning};
use crate::onnx::{InputMemory, Network, Plans, floats};
use crate::usage::Usage;

/// Most samples in one row of a batch: 60 s.
pub const MAX_SAMPLES: usize = 60 * SAMPLE_RATE;

/// A loaded joint model with its run slots. Any thread may use it, concurrently; as many runs go on
/// at once as the option `slots` allows, others wait.
#[derive(Debug)]
pub struct Session {
    info: ModelInfo,
    tuning: Tuning,
    /// How its voices are clustered, where the file knows it.
    vbx: Option<Vbx>,
    pub(super) network: Network,
    /// After the network, so that it is gone where this is.
    pub(super) usage: Arc<Usage>,
}

/// A model that was opened, before anything is asked of it.
pub(in crate::model) struct Opened {
    pub(in crate::model) session: Session,
    /// How it breaks the contract.
    pub(in crate::model) breaches: Vec<String>,
}

impl Session {
    /// Loads the model of `config` and checks it: the contract, the frames that it makes of some
    /// lengths, and its golden vector where there is one (`<stem>.golden.json` or `golden.json`
    /// beside the file). Loads ONNX Runtime if this is the first session of the process.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`]: the file; [`Error::Model`]: not ONNX,
    /// or all breaches of the contract, or wrong results; [`Error::RuntimeNotFound`],
    /// [`Error::RuntimeVersion`], [`Error::InvalidArgument`]: ONNX Runtime, or no embedded model;
    /// [`Error::Provider`]: a required provider.
    pub fn new(config: &Config) -> Result<Self> {
        Self::load(config, &Call::none())
    }

    /// As [`Session::new`]; the deadline and the switch of `call` end the load, whatever it is at.
    /// It is then left behind on a thread of its own, which ends as soon as it can.
    ///
    /// # Errors
    /// Those of [`Session::new`]; [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Limit`] where
    /// too many loads that were left behind are still at work.
    pub fn load(config: &Config, call: &Call<'_>) -> Result<Self> {
        config.check_for_session()?;
        let config = config.clone();
        loading::run(call, move |call| Self::load_here(&config, call))
    }

    /// As [`Session::load`], on this thread.
    pub(crate) fn load_here(config: &Config, call: &Call<'_>) -> Result<Self> {
        Self::checked(config, Plans::Kept, call)
    }

    /// As [`Session::new`], for a diarizer: in its batches of windows ONNX Runtime's plans save no
    /// time, and cost some 20 MB.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub(crate) fn for_batches(config: &Config, call: &Call<'_>) -> Result<Self> {
        Self::checked(config, Plans::None, call)
    }

    fn checked(config: &Config, plans: Plans, call: &Call<'_>) -> Result<Self> {
        let bundle = Bundle::of(config)?;
        if matches!(bundle, Some(Bundle::Pair(_))) || config.names_pair() {
            let reason = "expected a diarizer, which runs the pair; a session runs one joint model";
            return Err(Error::invalid("segmentation_model, embedding_model", reason));
        }
        let (source, said) = match bundle {
            Some(Bundle::Joint(source, said)) => (&source.clone(), said),
            Some(Bundle::Pair(_)) | None => (config.model(), JointSaid::of(config.model())),
        };
        let Opened { mut session, breaches } = Self::open(source, said.tuning, config, plans, call)?;
        if !said.voice_space.is_empty() {
            session.info.voice_space = said.voice_space;
        }
        let name = Label(source);
        if !breaches.is_empty() {
            return Err(Error::Model(format!(
                "{name} breaks the model contract:\n  {}",
                breaches.join("\n  ")
            )));
        }
        session.check_frames(source, config, call).map_err(|error| match error {
            Error::Model(text) => Error::Model(format!("{name}: {text}")),
            Error::Runtime(text) => Error::Runtime(format!("{name}: {text}")),
            other => other,
        })?;
        session.check_golden(source, call)?;
        Ok(session)
    }

    /// Opens the model of `source` and reads what it says of itself, whatever that is; of its
    /// tuning, what its bundle `stated` goes before.
    pub(in crate::model) fn open(
        source: &ModelSource,
        stated: Stated,
        config: &Config,
        plans: Plans,
        call: &Call<'_>,
    ) -> Result<Opened> {
        let model = source::read_model(source)?;
        call.check_wanted(Stage::Loading)?;
        let sha256 = model.sha256().to_owned();
        let (network, (info, tuning, vbx, breaches)) =
            Network::open_with(&model, &Label(source), config, plans, call, |described, provider| {
                let (info, mut breaches) = contract::read(&described, sha256, provider);
                let properties = described.properties();
                let vbx = plda_property::read(properties, info.embedding_dim);
                let vbx = vbx.unwrap_or_else(|breach| {
                    breaches.push(breach);
                    None
                });
                let own = Stated::of_file(properties, Kind::Joint);
                let tuning = own.and_then(|own| Tuning::joint(&stated.or(own), vbx.is_some()));
                let tuning = tuning.unwrap_or_else(|breach| {
                    breaches.push(breach);
                    Tuning::usual()
                });
                let vbx = vbx.map(|vbx| vbx.with_least_tracks(tuning.vbx_voices.unwrap_or_default()));
                (info, tuning, vbx, breaches)
            })?;
        let session = Session { info, tuning, vbx, network, usage: Arc::default() };
        Ok(Opened { session, breaches })
    }

    /// What the model says of itself, and the provider that runs it.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What the model was tuned to.
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// How the voices of the model are clustered by VBx; `None` where its file does not say.
    pub fn vbx(&self) -> Option<&Vbx> {
        self.vbx.as_ref()
    }

    /// Frames of `activity` that [`Session::infer`] gives for a row of `samples` samples: one for
    /// each whole frame step of the model. Runs no network: the contract says so, and a model that
    /// does otherwise is refused.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: less than one frame step; [`Error::Limit`]: more than
    /// [`MAX_SAMPLES`].
    pub fn frames(&self, samples: usize) -> Result<usize> {
        let least = self.info.frame_step_samples;
        if samples > MAX_SAMPLES {
            return Err(Error::Limit(format!(
                "samples: expected at most {MAX_SAMPLES} in a row, got {samples}"
            )));
        }
        if samples < least {
            return Err(Error::invalid(
                "samples",
                format!("expected at least {least} in a row, one frame of the model, got {samples}"),
            ));
        }
        Ok(self.info.frames(samples))
    }

    /// Checks that this is the process that loaded the model: a child of fork(2) has neither the
    /// threads of the network nor its locks in a known state.
    ///
    /// # Errors
    /// [`Error::Forked`].
    pub fn check_process(&self) -> Result<()> {
        self.network.check_process()
    }

    /// Runs the network on `audio` [batch, samples] (mono, 16 kHz, -1 to 1, best in standard
    /// layout: any other is copied) into `out`. Batch is 1 to 1024; samples are one frame step of
    /// the model to 60 s. Values that are not finite spoil the results of their own row; the caller
    /// checks for them.
    ///
    /// Waits for a free run slot. The deadline of `call` ends the waiting and, soon after it has
    /// passed, the run; its callback is asked while waiting only, for it belongs to this thread,
    /// which the run holds.
    ///
    /// Allocates nothing when the shape is that of an earlier call, except what ONNX Runtime and
    /// its binding need for themselves.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: the shape; [`Error::Limit`]: more than the batch or the samples
    /// allowed; [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Runtime`]: the network failed;
    /// [`Error::Model`]: its outputs break the contract; [`Error::Forked`]. After an error `out`
    /// holds what it held before, and the session can be used again.
    pub fn infer(&self, audio: ArrayView2<f32>, out: &mut Inference, call: &Call) -> Result<()> {
        let _work = ending::work()?;
        let _in_use = self.usage.call();
        call.without_result("an inference")?;
        self.check_input(&audio)?;
        // A view in standard layout is borrowed, any other copied.
        let standard = audio.as_standard_layout();
        let tensor = floats(standard.view())?;
        let shape = [audio.nrows(), audio.ncols()];
        self.network.run_shape(shape, [tensor], call, |outputs| out.read(&self.info, shape, &outputs))
    }

    /// Where the audio of its runs is best put together.
    pub(in crate::model) fn input_memory(&self) -> &InputMemory {
        self.network.input_memory()
    }

    fn check_input(&self, audio: &ArrayView2<f32>) -> Result<()> {
        let (batch, samples) = audio.dim();
        let least = self.info.frame_step_samples;
        if batch > MAX_BATCH {
            return Err(Error::Limit(format!("audio: expected at most {MAX_BATCH} rows, got {batch}")));
        }
        if samples > MAX_SAMPLES {
            return Err(Error::Limit(format!(
                "audio: expected at most {MAX_SAMPLES} samples in a row, got {samples}"
            )));
        }
        if batch == 0 || samples < least {
            return Err(Error::invalid(
                "audio",
                format!(
                    "expected [batch, samples] with a batch of at least 1 and at least {least} samples, \
                 got [{batch}, {samples}]"
                ),
            ));
        }
        Ok(())
    }

    /// Runs the model on silence of lengths that only a network with one frame for each whole step
    /// answers rightly. The outputs are checked as those of every run, and errors do not name the
    /// model.
    pub(in crate::model) fn check_frames(
        &self,
        source: &ModelSource,
        config: &Config,
        call: &Call<'_>,
    ) -> Result<()> {
        if self.info.provider == Provider::TensorRt {
            // TensorRT compiles the network anew for a length beyond those it met, which takes
            // seconds.
            let mut on_cpu = config.clone();
            on_cpu.set_provider(Provider::Cpu, ProviderPolicy::Required);
            let opened = Self::open(source, Stated::default(), &on_cpu, Plans::None, call)?;
            return opened.session.check_frames(source, &on_cpu, call);
        }
        let mut found = Inference::default();
        for samples in telling_lengths(self.info.frame_step_samples) {
            let silence = memory::array("silence", (1, samples), 0.0)?;
            self.infer(silence.view(), &mut found, call).map_err(|error| match error {
                Error::Runtime(text) => {
                    Error::Runtime(format!("input `{AUDIO}` of shape {:?}: {text}", [1, samples]))
                }
                other => other,
            })?;
        }
        Ok(())
    }

    /// Runs the model on the golden input, where there is a golden vector for it, and compares.
    pub(in crate::model) fn check_golden(&self, source: &ModelSource, call: &Call<'_>) -> Result<()> {
        let Some(bytes) = source::read_golden(source)? else { return Ok(()) };
        let name = self.network.name();
        let wrong = |reason| Error::Model(format!("{name}: golden vector: {reason}"));
        let Some(golden) = Golden::parse(&bytes, &self.info).map_err(wrong)? else {
            log::warn!("{name}: the golden vector beside it belongs to another model and is not used");
            return Ok(());
        };
        let mut found = Inference::default();
        self.infer(golden_input()?.view(), &mut found, call)?;
        golden.check(&found, self.info.provider).map_err(wrong)
    }
}

/// Lengths in samples that tell a network with one frame for each whole `step` from others. Strided
/// layers give floor((samples + padding - kernel) / stride) + 1 frames: one frame both for one step
/// and for two but for a sample is what the rule gives, and no other stride, kernel or padding. The
/// last one tells a network whose frames are not of the length at all.
fn telling_lengths(step: usize) -> impl Iterator<Item = usize> {
    [step, 2 * step - 1, 5 * step].into_iter().filter(|samples| *samples <= MAX_SAMPLES)
}

/// A session is shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
};
