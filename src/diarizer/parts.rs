//! Recordings with several tracks, or with parties on channels of their own: which of them are
//! diarized, and how results become one. A track or channel is diarized as any recording is.

use super::Diarizer;
use crate::audio::{AudioSource, Channels, MAX_WARNINGS, Recording, Tracks};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::memory;
use crate::types::{Diarization, Segment, Speaker, Warning, WarningCode};

impl Diarizer {
    /// Diarizes a source to its end: those of its tracks and channels that `call` asks for. Audio
    /// without speech gives no segments. The result is the same for any number of threads.
    ///
    /// Of several audio tracks the default one is used, unless it has little speech and another has
    /// more than twice as much; the result's warnings say which. A source that is no [`Recording`]
    /// is used as it is.
    ///
    /// # Errors
    /// Those of the source; [`Error::InvalidArgument`] for numbers of speakers that `call` cannot
    /// ask for, and for a choice among tracks or channels that the source has none of;
    /// [`Error::Cancelled`], [`Error::Deadline`]; [`Error::Runtime`] when the network fails;
    /// [`Error::Forked`] in a child of the process that loaded the model.
    pub fn process(&self, source: &mut dyn AudioSource, call: &Call<'_>) -> Result<Diarization> {
        self.check_process()?;
        let _in_use = self.usage.call();
        let Some(recording) = source.recording() else {
            call.without_parts("as this audio cannot be read again")?;
            return self.whole(source, call);
        };
        let count = recording.tracks();
        match call.tracks() {
            Tracks::Speech if count > 1 => self.speaking_track(recording, call),
            Tracks::Speech if call.channels() != Channels::Mix => {
                self.track(recording, recording.default_track(), call)
            }
            Tracks::Speech => self.whole(source, call),
            Tracks::Only(track) => self.track(recording, track, call),
            Tracks::All => self.all_tracks(recording, call),
        }
    }

    /// A track of a recording, or each of its channels.
    fn track(&self, recording: &dyn Recording, track: u16, call: &Call<'_>) -> Result<Diarization> {
        match call.channels() {
            Channels::Separate => self.channels(recording, track, call),
            channels => self.whole(&mut *recording.part(track, channels, call)?, call),
        }
    }

    fn speaking_track(&self, recording: &dyn Recording, call: &Call<'_>) -> Result<Diarization> {
        let (track, mut warnings) = self.choose_track(recording, call)?;
        let mut result = self.track(recording, track, call)?;
        warnings.append(&mut result.warnings);
        result.warnings = warnings;
        Ok(result)
    }

    fn all_tracks(&self, recording: &dyn Recording, call: &Call<'_>) -> Result<Diarization> {
        let count = recording.tracks();
        let mut whole = Joined::default();
        let (mut found, mut refusal) = (false, None);
        for track in 0..count {
            match self.track(recording, track, &call.piece(track, count)) {
                Ok(mut part) => {
                    found = true;
                    for warning in &mut part.warnings {
                        warning.text = format!("track {}: {}", track + 1, warning.text);
                    }
                    whole.add(&format!("TRACK{}_", track + 1), &part, |_| true)?;
                }
                Err(Error::Audio(reason)) => {
                    whole.warn(&skipped_track(recording, &reason));
                    refusal.get_or_insert(Error::Audio(reason));
                }
                Err(other) => return Err(other),
            }
        }
        match refusal {
            Some(refusal) if !found => Err(refusal),
            _ => Ok(whole.finish()),
        }
    }
}

/// Says that a track cannot be decoded.
pub(super) fn skipped_track(recording: &dyn Recording, reason: &str) -> Warning {
    warning(recording, WarningCode::SkippedTrack, format!("an audio track is left out: {reason}"))
}

/// What is to be said of a recording as a whole, which is logged.
pub(super) fn warning(recording: &dyn Recording, code: WarningCode, text: String) -> Warning {
    match recording.name() {
        Some(name) => log::warn!("{}: {text}", name.display()),
        None => log::warn!("{text}"),
    }
    Warning { code, time_s: 0.0, text }
}

/// Results of one recording that become one.
#[derive(Default)]
pub(super) struct Joined(Diarization);

impl Joined {
    /// Adds a part with those of its segments that are `kept`; the labels of its speakers get
    /// `prefix` in front. What was said of an earlier part is not said twice.
    pub(super) fn add(
        &mut self,
        prefix: &str,
        part: &Diarization,
        mut kept: impl FnMut(&Segment) -> bool,
    ) -> Result<()> {
        let whole = &mut self.0;
        whole.duration_s = whole.duration_s.max(part.duration_s);
        whole.voice_space.clone_from(&part.voice_space);
        // The number in the whole of each speaker of the part that has a segment left.
        let mut numbers: Vec<Option<usize>> = vec![None; part.speakers.len()];
        for segment in part.segments.iter().filter(|segment| kept(segment)) {
            let (Some(number), Some(speaker)) =
                (numbers.get_mut(segment.speaker), part.speakers.get(segment.speaker))
            else {
                continue;
            };
            let number = *number.get_or_insert_with(|| {
                let label = format!("{prefix}{}", speaker.label);
                whole.speakers.push(Speaker { label, speech_s: 0.0, embedding: speaker.embedding.clone() });
                whole.speakers.len() - 1
            });
            whole.speakers[number].speech_s += segment.end_s - segment.start_s;
            memory::push("segments", &mut whole.segments, Segment { speaker: number, ..*segment })?;
        }
        part.warnings.iter().for_each(|warning| self.warn(warning));
        Ok(())
    }

    /// Adds a warning, unless it is there.
    pub(super) fn warn(&mut self, warning: &Warning) {
        let warnings = &mut self.0.warnings;
        if warnings.len() < MAX_WARNINGS && !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }

    /// The whole, in the order of time.
    pub(super) fn finish(mut self) -> Diarization {
        self.0.segments.sort_by(|a, b| {
            let key = |segment: &Segment| (segment.start_s, segment.end_s);
            key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal).then(a.speaker.cmp(&b.speaker))
        });
        mark_overlaps(&mut self.0.segments);
        self.0
    }
}

/// Sets whether another speaker talks during some part of each of the segments, which are in order.
fn mark_overlaps(segments: &mut [Segment]) {
    let mut open: Vec<usize> = Vec::new();
    for index in 0..segments.len() {
        let Segment { start_s, speaker, .. } = segments[index];
        segments[index].overlap = false;
        open.retain(|&earlier| segments[earlier].end_s > start_s);
        for &earlier in &open {
            if segments[earlier].speaker != speaker {
                segments[earlier].overlap = true;
                segments[index].overlap = true;
            }
        }
        open.push(index);
    }
}
