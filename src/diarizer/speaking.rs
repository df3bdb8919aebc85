//! Which of several audio tracks has the speech. The model's own network is the judge, of a few
//! windows of each track: those that are loud, spread over its length. It owns that choice; no more
//! of a track is held than these windows.

use std::cmp::Ordering;

use super::Diarizer;
use super::parts::{skipped_track, warning};
use crate::audio::{AudioSource, Channels, Recording, SAMPLE_RATE};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Stretch;
use crate::types::{Warning, WarningCode};

/// Most windows of a track that the network looks at.
const MAX_LOOKS: usize = 12;
/// Share of speech in these windows from which the default track is taken without a look at others.
const ENOUGH: f64 = 0.25;
/// How much more speech another track has than the default one to be taken in its place.
const MUCH_MORE: f64 = 2.0;

/// The speech of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Speech {
    /// Seconds of it in the whole track, estimated from its windows.
    seconds: f64,
    /// Share of it in these windows.
    share: f64,
}

impl Diarizer {
    /// The number of the track that has the speech, and what is to be said of the choice.
    ///
    /// # Errors
    /// Those of [`Recording::part`] and of reading the default track; those of the network.
    pub(super) fn choose_track(
        &self,
        recording: &dyn Recording,
        call: &Call<'_>,
    ) -> Result<(u16, Vec<Warning>)> {
        let (count, default) = (recording.tracks(), recording.default_track());
        let call = call.before();
        let own = self.speech(recording, default, &call)?;
        let mut warnings = Vec::new();
        let (mut chosen, mut why) = (default, "it is the default one");
        if own.share < ENOUGH {
            let mut most = MUCH_MORE * own.seconds;
            for track in (0..count).filter(|&track| track != default) {
                match self.speech(recording, track, &call) {
                    Ok(speech) if speech.seconds > most => {
                        (chosen, why, most) = (track, "it has the most speech", speech.seconds);
                    }
                    Ok(_) => {}
                    Err(Error::Audio(reason)) => warnings.push(skipped_track(recording, &reason)),
                    Err(other) => return Err(other),
                }
            }
        }
        let text = format!("audio track {} of {count} is used: {why}", chosen + 1);
        warnings.insert(0, warning(recording, WarningCode::ChosenTrack, text));
        Ok((chosen, warnings))
    }

    /// How much speech there is in a track.
    fn speech(&self, recording: &dyn Recording, track: u16, call: &Call<'_>) -> Result<Speech> {
        let (window, frame) = (self.plan.long.window, self.plan.long.frame);
        let mut source = recording.part(track, Channels::Mix, call)?;
        let looks = Looks::of(&mut *source, window)?;
        let of_windows = call.of_windows();
        let (mut speech, mut frames) = (0, 0);
        let (count, section) = (looks.kept.len(), looks.section);
        for look in looks.kept {
            let stretch = Stretch { audio: look.samples, start: 0, window, frame, offsets: vec![0] };
            for local in self.local.analyse(&stretch, 1, &of_windows)? {
                let talking: Vec<Vec<bool>> =
                    local.activity.columns().into_iter().map(|one| self.plan.hysteresis.apply(one)).collect();
                let count = local.activity.nrows();
                speech +=
                    (0..count).filter(|&at| talking.iter().any(|one| one.get(at) == Some(&true))).count();
                frames += count;
            }
        }
        let share = if frames > 0 { speech as f64 / frames as f64 } else { 0.0 };
        let looked_s = (count * window) as f64 / f64::from(SAMPLE_RATE);
        Ok(Speech { seconds: share * looked_s * section as f64, share })
    }
}

/// A window of a track.
struct Look {
    /// Its number in the track.
    number: usize,
    energy: f32,
    samples: Vec<f32>,
}

/// Windows of a track, at most one in each section of it: the loudest. What is silent has none.
struct Looks {
    kept: Vec<Look>,
    /// Windows of a section.
    section: usize,
}

impl Looks {
    /// Reads `source` to its end.
    fn of(source: &mut dyn AudioSource, window: usize) -> Result<Self> {
        let mut looks = Self { kept: Vec::new(), section: 1 };
        let (mut audio, mut number) = (Vec::new(), 0);
        loop {
            let count = source.read(&mut audio)?;
            while audio.len() >= window.max(1) {
                let rest = audio.split_off(window.max(1));
                looks.take(number, std::mem::replace(&mut audio, rest))?;
                number += 1;
            }
            if count == 0 {
                break;
            }
        }
        // The last window is filled with silence.
        memory::resize("audio", &mut audio, window, 0.0)?;
        looks.take(number, audio)?;
        Ok(looks)
    }

    fn take(&mut self, number: usize, samples: Vec<f32>) -> Result<()> {
        let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
        if energy > 0.0 {
            memory::push("audio", &mut self.kept, Look { number, energy, samples })?;
            self.thin();
            while self.kept.len() > MAX_LOOKS {
                self.section *= 2;
                self.thin();
            }
        }
        Ok(())
    }

    /// Keeps the loudest window of each section.
    fn thin(&mut self) {
        let section = self.section;
        self.kept.dedup_by(|later, earlier| {
            let same = later.number / section == earlier.number / section;
            if same && later.energy.total_cmp(&earlier.energy) == Ordering::Greater {
                std::mem::swap(later, earlier);
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives windows of two samples, as loud as their numbers say.
    struct Levels(Vec<f32>);

    impl AudioSource for Levels {
        fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
            let count = self.0.len().min(3);
            out.extend(self.0.drain(..count));
            Ok(count)
        }

        fn len_hint(&self) -> Option<u64> {
            None
        }
    }

    fn looks(levels: &[f32]) -> Looks {
        let samples = levels.iter().flat_map(|&level| [level, -level]).collect();
        Looks::of(&mut Levels(samples), 2).unwrap()
    }

    fn numbers(looks: &Looks) -> Vec<usize> {
        looks.kept.iter().map(|look| look.number).collect()
    }

    #[test]
    fn short_tracks_are_looked_at_in_whole_and_silence_is_not() {
        let looks = looks(&[0.1, 0.0, 0.3]);
        assert_eq!((numbers(&looks), looks.section), (vec![0, 2], 1));
        assert_eq!(looks.kept[1].samples, [0.3, -0.3]);
        let silent = Looks::of(&mut Levels(vec![0.0; 9]), 2).unwrap();
        assert_eq!(silent.kept.len(), 0);
    }

    #[test]
    fn of_long_tracks_the_loudest_window_of_each_section_is_kept() {
        let levels: Vec<f32> = (0..1_000).map(|at| if at % 7 == 3 { 0.9 } else { 0.1 }).collect();
        let looks = looks(&levels);
        assert!((MAX_LOOKS / 2..=MAX_LOOKS).contains(&looks.kept.len()), "{:?}", numbers(&looks));
        assert!(looks.kept.iter().all(|look| look.number % 7 == 3));
        let sections: Vec<usize> = looks.kept.iter().map(|look| look.number / looks.section).collect();
        assert_eq!(sections, (0..looks.kept.len()).collect::<Vec<_>>());
    }
}
