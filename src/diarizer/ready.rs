//! Making a diarizer ready before it takes over from another: its run slots, and a recording that
//! it diarizes to see that the whole way works.

use std::sync::Arc;

use ndarray::ArrayView1;

use super::Diarizer;
use super::live::Live;
use crate::audio::{BufferSource, SAMPLE_RATE};
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::{ModelInfo, check_activity, check_voice, golden_input};
use crate::types::Diarization;
use crate::usage::{Readiness, Usage};

/// Length of the smoke recording in repetitions of the golden input, which is 2 s: longer than the
/// windows of the models there are, so that several windows are clustered.
const REPETITIONS: usize = 8;

impl Diarizer {
    /// What of it is ready.
    pub(crate) fn readiness(&self) -> Readiness {
        let live_slots = match &self.live {
            Live::Same => None,
            Live::Other(_, loaded) => match loaded.try_take() {
                Some(diarizer) => diarizer.as_ref().map(|diarizer| diarizer.local.slots()),
                // It is being loaded.
                None => Some(1),
            },
        };
        Readiness { slots: self.local.slots(), live_slots }
    }

    /// What uses it.
    pub(crate) fn usage(&self) -> &Arc<Usage> {
        &self.usage
    }

    /// Makes its run slots, and loads the model of its streams, as far as `readiness` asks for
    /// them.
    ///
    /// # Errors
    /// Those of [`Diarizer::load`].
    pub(crate) fn warm(&self, readiness: Readiness, call: &Call<'_>) -> Result<()> {
        self.local.warm(readiness.slots.min(self.workers), call)?;
        if let (Live::Other(..), Some(slots)) = (&self.live, readiness.live_slots) {
            let live = self.for_streams(call)?;
            live.local.warm(slots.min(live.workers), call)?;
        }
        Ok(())
    }

    /// Diarizes the smoke recording, with the model of streams too where that is loaded.
    ///
    /// # Errors
    /// [`Error::Model`] for results that cannot be: numbers that are not finite or out of range,
    /// voices that are not of unit length, segments outside the recording; those of
    /// [`Diarizer::process`].
    pub(crate) fn smoke(&self, readiness: Readiness, call: &Call<'_>) -> Result<()> {
        self.diarize_smoke(call)?;
        match (&self.live, readiness.live_slots) {
            (Live::Other(..), Some(_)) => self.for_streams(call)?.diarize_smoke(call),
            _ => Ok(()),
        }
    }

    fn diarize_smoke(&self, call: &Call<'_>) -> Result<()> {
        let audio = smoke_recording()?;
        let analysis = self.analyse(&mut BufferSource::from_f32(&audio, SAMPLE_RATE, 1)?, call)?;
        let result = self.settle(&analysis.windows, &analysis.short_windows, analysis.samples, call)?;
        let info = self.model();
        let windows = analysis.windows.iter().chain(&analysis.short_windows);
        let seconds = audio.len() as f64 / f64::from(SAMPLE_RATE);
        windows
            .map(|window| check_window(window, info))
            .find(|checked| checked.is_err())
            .unwrap_or(Ok(()))
            .and_then(|()| check_result(&result, seconds, info))
            .map_err(|reason| Error::Model(format!("{}: smoke recording: {reason}", info.name)))
    }
}

/// The sound of the golden vector over and over.
fn smoke_recording() -> Result<Vec<f32>> {
    let input = golden_input()?;
    let mut audio = memory::with_capacity("smoke recording", REPETITIONS * input.len())?;
    for _ in 0..REPETITIONS {
        audio.extend(input.iter());
    }
    Ok(audio)
}

/// What is wrong with the local speakers of a window.
fn check_window(window: &LocalWindow, info: &ModelInfo) -> std::result::Result<(), String> {
    check_activity(&window.activity)?;
    // Those of a pair are scaled to unit length where they are compared.
    match window.embedding.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("embedding: expected finite values, got {value}")),
        None if window.embedding.ncols() == info.embedding_dim => Ok(()),
        None => {
            let (expected, found) = (info.embedding_dim, window.embedding.ncols());
            Err(format!("embedding: expected {expected} values, got {found}"))
        }
    }
}

/// What is wrong with a result.
fn check_result(result: &Diarization, seconds: f64, info: &ModelInfo) -> std::result::Result<(), String> {
    for speaker in &result.speakers {
        check_voice(ArrayView1::from(&speaker.embedding), info.embedding_dim)?;
    }
    for (index, segment) in result.segments.iter().enumerate() {
        let within = 0.0 <= segment.start_s && segment.start_s < segment.end_s && segment.end_s <= seconds;
        let known = segment.speaker < result.speakers.len() && (0.0..=1.0).contains(&segment.confidence);
        if !(within && known) {
            return Err(format!(
                "segment {index}: expected a time within {seconds} s, a speaker of {} and a confidence from 0 to \
                 1, got {segment:?}",
                result.speakers.len()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provider;
    use crate::types::{Segment, Speaker};

    fn info() -> ModelInfo {
        ModelInfo {
            name: "model".to_owned(),
            version: "1.0.0".to_owned(),
            sample_rate: 16_000,
            window_samples: 16_000,
            hop_samples: 16_000,
            frame_step_samples: 160,
            frame_offset_samples: 80,
            max_speakers: 2,
            embedding_dim: 2,
            thresholds: Default::default(),
            sha256: String::new(),
            voice_space: String::new(),
            provider: Provider::Cpu,
        }
    }

    fn window(activity: f32, voice: [f32; 2]) -> LocalWindow {
        LocalWindow {
            start_frame: 0,
            activity: ndarray::array![[0.0], [activity]],
            embedding: ndarray::array![voice],
        }
    }

    #[test]
    fn windows_that_no_network_gives_are_refused() {
        let checked = |activity, voice| check_window(&window(activity, voice), &info());
        assert_eq!(checked(1.0, [0.6, 0.8]), Ok(()));
        assert_eq!(checked(0.0, [0.0, 0.0]), Ok(()));
        assert_eq!(checked(1.5, [0.6, 0.8]).unwrap_err(), "activity: expected 0 to 1, got 1.5");
        assert!(checked(0.5, [f32::NAN, 0.0]).unwrap_err().ends_with("expected finite values, got NaN"));
        let one = ModelInfo { embedding_dim: 3, ..info() };
        assert!(
            check_window(&window(0.5, [1.0, 0.0]), &one).unwrap_err().contains("expected 3 values, got 2")
        );
    }

    #[test]
    fn results_that_cannot_be_are_refused() {
        let segment = Segment { start_s: 0.5, end_s: 2.0, speaker: 0, confidence: 0.9, overlap: false };
        let speaker = Speaker { label: "SPEAKER_00".to_owned(), speech_s: 1.5, embedding: vec![1.0, 0.0] };
        let with = |segment| Diarization {
            segments: vec![segment],
            speakers: vec![speaker.clone()],
            duration_s: 2.0,
            ..Diarization::default()
        };
        assert_eq!(check_result(&with(segment), 2.0, &info()), Ok(()));
        for broken in [
            Segment { end_s: 2.5, ..segment },
            Segment { end_s: 0.5, ..segment },
            Segment { start_s: f64::NAN, ..segment },
            Segment { speaker: 1, ..segment },
            Segment { confidence: f32::NAN, ..segment },
        ] {
            let reason = check_result(&with(broken), 2.0, &info()).unwrap_err();
            assert!(reason.starts_with("segment 0: expected a time within 2 s"), "{reason}");
        }
    }
}
