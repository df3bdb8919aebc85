//! What a stream has to tell, until it is read.

use std::collections::VecDeque;

use super::LiveSegment;
use crate::types::Speaker;

/// Segments that were not read yet, and the speakers by now.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    settled: VecDeque<LiveSegment>,
    provisional: VecDeque<LiveSegment>,
    pub(super) speakers: Vec<Speaker>,
}

impl Outbox {
    /// Adds final segments, and puts `provisional` in place of the older ones.
    pub(super) fn post(&mut self, settled: Vec<LiveSegment>, provisional: Vec<LiveSegment>) {
        for live in &settled {
            if let Some(speaker) = self.speakers.get_mut(live.segment.speaker) {
                speaker.speech_s += live.segment.end_s - live.segment.start_s;
            }
        }
        self.settled.extend(settled);
        self.provisional = provisional.into();
    }

    /// The voice of a speaker as it is known by now; speakers are numbered without gaps.
    pub(super) fn hear(&mut self, speaker: usize, voice: Vec<f32>) {
        match self.speakers.get_mut(speaker) {
            Some(known) => known.embedding = voice,
            None => self.speakers.push(Speaker {
                label: format!("SPEAKER_{speaker:02}"),
                speech_s: 0.0,
                embedding: voice,
            }),
        }
    }

    /// Segments that can be read.
    pub(super) fn waiting(&self) -> usize {
        self.settled.len() + self.provisional.len()
    }

    /// Takes out at most `most` segments, the final ones first.
    pub(super) fn read(&mut self, most: usize) -> Vec<LiveSegment> {
        let first = most.min(self.settled.len());
        let mut taken: Vec<LiveSegment> = self.settled.drain(..first).collect();
        let rest = (most - first).min(self.provisional.len());
        taken.extend(self.provisional.drain(..rest));
        taken
    }
}
