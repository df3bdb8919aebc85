//! The whole way from audio to a diarization: loaded model and options, shareable between threads.
//! Owns the order of the stages; each stage is elsewhere.

mod adjusted;
mod enrolment;
mod live;
mod method;
mod parts;
mod plan;
mod ready;
mod separate;
mod settings;
mod speaking;

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use live::Live;
use method::method;
use ndarray::Array2;
pub(crate) use plan::Plan;
pub use settings::Settings;

use crate::analysis::{Analysis, AnalysisOptions, analyse};
use crate::audio::{AudioSource, BufferSource, FileSource, SAMPLE_RATE};
use crate::call::Call;
use crate::config::{ClusteringMethod, Config, MAX_SLOTS, Provider};
use crate::diarize::clustering::{
    Assignment, Clustering, ClusteringOptions, Method, Start, cluster, label_by_centroids, tracks_of,
    usual_threshold,
};
use crate::diarize::reconstruct::{Voting, Weighting, labelled, merged, reconstruct};
use crate::diarize::timeline::{FrameTurn, drop_short, exclusive, fill_pauses, to_segments};
use crate::diarize::windows::WindowGrid;
use crate::diarize::{LocalWindow, speaker_count};
use crate::error::{Error, Result};
use crate::loading;
use crate::model::{LocalDiarizer, ModelInfo, Tuning, open_local, thread_count};
use crate::process::Process;
use crate::types::Diarization;
use crate::usage::Usage;

/// Share of solo speech in a window from which centroid linkage and VBx trust an embedding, as in
/// pyannote/speaker-diarization-3.1 and community-1.
const TRUSTED_SHARE: f64 = 0.2;

/// Windows over each frame from which they all count alike, as in pyannote.audio; where there are
/// fewer, the middle of a window counts more than its ends.
const MANY_WINDOWS: usize = 5;

/// Longest recording, in seconds, that is analysed again where its speech is so short that there
/// are fewer tracks than speakers asked for.
const CLOSE_LONGEST_S: usize = 120;

/// Most runs of the network at once on a GPU, where each has memory of its own: one is computed
/// while the next is put together.
const GPU_WORKERS: usize = 2;

/// Says who spoke when. Any thread may use one diarizer, concurrently; concurrent calls share its
/// run slots, and so do its clones.
#[derive(Clone, Debug)]
pub struct Diarizer {
    /// Its networks run in this process only.
    process: Process,
    config: Config,
    local: Arc<dyn LocalDiarizer>,
    plan: Plan,
    method: Method,
    workers: usize,
    live: Live,
    /// After the networks, so that they are gone where this is.
    usage: Arc<Usage>,
}

impl Diarizer {
    /// Loads the models of `config`. Where it names none, recordings are diarized with the accurate
    /// bundle if the library has it, and streams with the embedded joint model.
    ///
    /// # Errors
    /// Those of [`crate::model::Session::new`]; [`Error::InvalidArgument`] for a hop longer than
    /// the model's window.
    pub fn new(config: &Config) -> Result<Self> {
        Self::load(config, &Call::none())
    }

    /// As [`Diarizer::new`]; the deadline and the switch of `call` end the load, whatever it is at.
    /// It is then left behind on a thread of its own, which ends as soon as it can.
    ///
    /// # Errors
    /// Those of [`Diarizer::new`]; [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Limit`]
    /// where too many loads that were left behind are still at work.
    pub fn load(config: &Config, call: &Call<'_>) -> Result<Self> {
        config.check_for_diarizer()?;
        let config = config.clone();
        loading::run(call, move |call| Self::load_here(&config, call))
    }

    /// As [`Diarizer::load`], on this thread.
    pub(crate) fn load_here(config: &Config, call: &Call<'_>) -> Result<Self> {
        let workers = thread_count(config.threads()).min(MAX_SLOTS);
        let mut session_config = config.clone();
        // One thread for each run, many runs at once: sums then have the same order for any number
        // of threads.
        session_config.set_threads(1)?;
        session_config.set_slots(workers)?;
        let local = open_local(&session_config, call)?;
        let info = local.info();
        let workers = match info.provider {
            Provider::Auto | Provider::Cpu => workers,
            Provider::Cuda | Provider::TensorRt => workers.min(GPU_WORKERS),
        };
        let window_s = info.window_samples as f64 / f64::from(SAMPLE_RATE);
        let hop = match config.hop_s() {
            Some(hop_s) if hop_s > window_s => {
                let reason = format!("expected at most the model's window ({window_s} s), got {hop_s}");
                return Err(Error::invalid("hop_s", reason));
            }
            Some(hop_s) => (hop_s * f64::from(SAMPLE_RATE)) as usize,
            None => info.hop_samples,
        };
        let grid = WindowGrid::new(info.window_samples, hop, info.frame_step_samples);
        let method = method(config, &*local, grid)?;
        let live = Live::of(config);
        let plan = Plan::new(&*local, grid);
        let (process, usage) = (Process::current(), Arc::default());
        Ok(Self { process, config: config.clone(), local, plan, method, workers, live, usage })
    }

    /// The model of recordings, and the provider that runs it.
    pub fn model(&self) -> &ModelInfo {
        self.local.info()
    }

    /// Seconds of audio from one window of a stream over this diarizer to the next.
    pub fn live_hop_s(&self) -> f64 {
        self.plan.live.hop as f64 / f64::from(SAMPLE_RATE)
    }

    /// What the model of recordings was tuned to.
    pub fn tuning(&self) -> &Tuning {
        self.local.tuning()
    }

    /// How voices are clustered: never [`ClusteringMethod::Auto`].
    pub fn clustering_method(&self) -> ClusteringMethod {
        match self.method {
            Method::Average | Method::AverageBySize { .. } => ClusteringMethod::Average,
            Method::Centroid { .. } => ClusteringMethod::Centroid,
            Method::Vbx(_) => ClusteringMethod::Vbx,
        }
    }

    /// Diarizes a file of any supported format, rate and channel count.
    ///
    /// ```
    /// use voiceflow::output::rttm;
    /// use voiceflow::{Call, Config, Diarizer};
    ///
    /// # fn main() -> voiceflow::Result<()> {
    /// let mut config = Config::default();
    /// config.set_num_speakers(3)?;
    /// let result = Diarizer::new(&config)?.process_file("examples/data/conversation.flac", &Call::none())?;
    /// let text = rttm::write(&result, "conversation")?;
    /// # assert!(text.starts_with("SPEAKER conversation 1 0.5") && result.speakers.len() == 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`FileSource::open_until`] and [`Diarizer::process`].
    pub fn process_file(&self, path: impl AsRef<Path>, call: &Call<'_>) -> Result<Diarization> {
        self.check_process()?;
        self.process(&mut FileSource::open_until(path, call)?, call)
    }

    /// Diarizes a source as it is.
    fn whole(&self, source: &mut dyn AudioSource, call: &Call<'_>) -> Result<Diarization> {
        let analysis = self.analyse(source, call)?;
        let mut result = self.settle(&analysis.windows, &analysis.short_windows, analysis.samples, call)?;
        result.warnings = source.warnings();
        Ok(result)
    }

    /// Who spoke when in a recording of `samples` samples of which these are the windows, and the
    /// short ones. Speakers are found by the former alone.
    pub(crate) fn settle(
        &self,
        windows: &[LocalWindow],
        short_windows: &[LocalWindow],
        samples: u64,
        call: &Call<'_>,
    ) -> Result<Diarization> {
        let speakers = call.speaker_range(self.config.speaker_range())?;
        let clustering = cluster(windows, &self.clustering_options(&speakers), call)?;
        let least = *speakers.start();
        let turns =
            self.turns(windows, short_windows, &clustering, self.plan.long.frames_in(samples), least, call)?;
        self.finish(turns, &clustering, samples, least, call)
    }

    /// Fails in a child of the process that loaded the model.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.process.check(&self.model().name)
    }

    /// Finds the local speakers of windows.
    pub(crate) fn local(&self) -> &dyn LocalDiarizer {
        &*self.local
    }

    /// Where windows lie, and what their frames are.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    fn weighting(&self) -> Weighting {
        let WindowGrid { window, hop, .. } = self.plan.long;
        if hop * MANY_WINDOWS <= window { Weighting::Flat } else { Weighting::Trapezoid }
    }

    /// Pauses of one speaker of fewer frames are filled.
    fn pause_frames(&self) -> usize {
        self.plan.frames(self.config.min_silence_s().unwrap_or_else(|| self.tuning().min_silence_s))
    }

    /// Turns of fewer frames are dropped.
    fn least_frames(&self) -> usize {
        self.plan.frames(self.config.min_speech_s().unwrap_or_else(|| self.tuning().min_speech_s))
    }

    /// The threshold asked for, that of the model where it is clustered as it was tuned, else that
    /// of the method.
    fn clustering_threshold(&self) -> f32 {
        let method = self.clustering_method();
        let tuned = method == self.tuning().clustering && self.config.plda().is_none();
        let usual = || if tuned { self.model().thresholds.clustering } else { usual_threshold(method) };
        self.config.clustering_threshold().unwrap_or_else(usual)
    }

    /// Cosine distance under which average linkage takes two clusters for one speaker.
    pub(crate) fn cosine_threshold(&self) -> f32 {
        match &self.method {
            Method::Average | Method::AverageBySize { .. } => self.clustering_threshold(),
            Method::Vbx(vbx) if vbx.start() == Start::Average => self.clustering_threshold(),
            Method::Centroid { .. } | Method::Vbx(_) => usual_threshold(ClusteringMethod::Average),
        }
    }

    /// Where clustering may join two local speakers of a window, assignment may too: keeping them
    /// apart would give one of them to a speaker who is far from both.
    fn assignment(&self) -> Assignment {
        match self.method {
            Method::AverageBySize { .. } => Assignment::Nearest,
            Method::Average | Method::Centroid { .. } | Method::Vbx(_) => Assignment::default(),
        }
    }

    fn clustering_options(&self, speakers: &RangeInclusive<usize>) -> ClusteringOptions {
        let tuning = self.tuning();
        let trusted_s = match &self.method {
            Method::Average | Method::AverageBySize { .. } => tuning.trusted_s,
            Method::Vbx(vbx) if vbx.start() == Start::Average => tuning.trusted_s,
            Method::Centroid { .. } | Method::Vbx(_) => {
                TRUSTED_SHARE * self.plan.long.window as f64 / f64::from(SAMPLE_RATE)
            }
        };
        ClusteringOptions {
            method: self.method.clone(),
            threshold: self.clustering_threshold(),
            min_speakers: *speakers.start(),
            max_speakers: *speakers.end(),
            trusted_frames: self.plan.frames(trusted_s),
            least_speaker_frames: self.plan.frames(tuning.least_speaker_s),
            assignment: self.assignment(),
            hysteresis: self.plan.hysteresis,
        }
    }

    /// Analyses the source; once more and closer when that gives fewer tracks than speakers asked
    /// for.
    fn analyse(&self, source: &mut dyn AudioSource, call: &Call<'_>) -> Result<Analysis> {
        let least = *call.speaker_range(self.config.speaker_range())?.start();
        let longest = CLOSE_LONGEST_S * SAMPLE_RATE as usize;
        let options = AnalysisOptions {
            grid: self.plan.long,
            short: self.plan.short,
            batch: self.config.batch(),
            workers: self.workers,
            keep: if least > 1 { longest } else { 0 },
        };
        let analysis = analyse(&*self.local, &options, source, call)?;
        let tracks = self.voices_in(&analysis.windows, call)?;
        let enough = tracks == 0 || tracks >= least || !self.local.takes_short_windows();
        if enough || analysis.samples > analysis.head.len() as u64 {
            return Ok(analysis);
        }
        let samples = |seconds: f64| (seconds * f64::from(SAMPLE_RATE)) as usize;
        let Tuning { close_window_s, close_hop_s, .. } = self.tuning();
        let grid = WindowGrid::new(samples(*close_window_s), samples(*close_hop_s), self.plan.long.frame);
        let mut again = BufferSource::from_f32(&analysis.head, SAMPLE_RATE, 1)?;
        let options = AnalysisOptions { grid, short: None, keep: 0, ..options };
        // The stage has been reported as done, and is still looked at for a wish to stop.
        let closer = analyse(&*self.local, &options, &mut again, &call.with_least_fraction(1.0))?;
        let gained = self.voices_in(&closer.windows, call)? > tracks;
        Ok(if gained { closer } else { analysis })
    }

    /// Number of tracks with a voice, which can be clustered.
    fn voices_in(&self, windows: &[LocalWindow], call: &Call<'_>) -> Result<usize> {
        let tracks = tracks_of(windows, self.plan.hysteresis, call)?;
        Ok(tracks.iter().filter(|track| track.has_voice).count())
    }

    /// Who talks in which frames, smoothed, with the number of speakers asked for.
    fn turns(
        &self,
        windows: &[LocalWindow],
        short_windows: &[LocalWindow],
        clustering: &Clustering,
        total_frames: usize,
        least: usize,
        call: &Call<'_>,
    ) -> Result<Vec<FrameTurn>> {
        let hysteresis = self.plan.hysteresis;
        let short_labels = label_by_centroids(short_windows, &clustering.centroids, hysteresis, call)?;
        let all = merged(&labelled(windows, &clustering.labels)?, &labelled(short_windows, &short_labels)?)?;
        let at_once = if call.is_exclusive() { 1 } else { usize::MAX };
        let voting = Voting { weighting: self.weighting(), counting: self.plan.counting };
        let turns = reconstruct(&all, total_frames, hysteresis, voting, at_once, call)?;
        let turns = speaker_count::restore_speakers(
            turns,
            windows,
            clustering,
            hysteresis,
            total_frames,
            least,
            call,
        )?;
        let turns = fill_pauses(turns, self.pause_frames())?;
        let turns = if call.is_exclusive() { exclusive(turns, total_frames)? } else { turns };
        Ok(drop_short(turns, self.least_frames(), least))
    }

    /// Speakers in the order of first appearance, with their voices, and the segments in seconds.
    fn finish(
        &self,
        turns: Vec<FrameTurn>,
        clustering: &Clustering,
        samples: u64,
        least: usize,
        call: &Call<'_>,
    ) -> Result<Diarization> {
        let (mut turns, origins) = speaker_count::divide_turns(turns, clustering.speakers, least, call)?;
        let voice_of = voices(&clustering.centroids, &origins);
        let duration_s = samples as f64 / f64::from(SAMPLE_RATE);
        let times = self.plan.times;
        // The first frame may begin after the end of a very short recording.
        turns.retain(|turn| times.origin_s + turn.start as f64 * times.step_s < duration_s);
        let mut order: Vec<usize> = Vec::new();
        for turn in &mut turns {
            let place = order.iter().position(|&speaker| speaker == turn.speaker).unwrap_or_else(|| {
                order.push(turn.speaker);
                order.len() - 1
            });
            turn.speaker = place;
        }
        let segments = to_segments(&turns, times, duration_s)?;
        let embeddings = order.iter().map(|&speaker| voice_of[speaker].clone()).collect();
        let voice_space = Some(self.model().voices());
        Ok(Diarization { voice_space, ..Diarization::of_parts(duration_s, segments, embeddings) })
    }
}

/// The voice of each clustered speaker, then of each speaker whose turns came from another's.
fn voices(centroids: &Array2<f32>, origins: &[usize]) -> Vec<Vec<f32>> {
    let mut voices: Vec<Vec<f32>> = centroids.rows().into_iter().map(|row| row.to_vec()).collect();
    for &origin in origins {
        voices.push(voices[origin].clone());
    }
    voices
}
