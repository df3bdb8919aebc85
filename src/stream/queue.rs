//! The segments of a stream, until they are read.

use std::collections::VecDeque;

use ndarray::ArrayView1;

use super::LiveSegment;
use crate::error::Result;
use crate::memory;
use crate::types::Speaker;

/// Segments that were not read yet, and the speakers so far.
#[derive(Debug, Default)]
pub(super) struct SegmentQueue {
    settled: VecDeque<LiveSegment>,
    provisional: VecDeque<LiveSegment>,
    pub(super) speakers: Vec<Speaker>,
    /// Seconds of audio taken.
    pub(super) received_s: f64,
    /// Seconds of audio analysed: the end of the last live window.
    pub(super) analysed_s: f64,
    /// How many times the provisional segments were replaced.
    pub(super) updates: u64,
    /// The speaker of the final result for each speaker, once there is a result.
    pub(super) final_speakers: Option<Vec<Option<usize>>>,
}

impl SegmentQueue {
    /// Adds final segments, and replaces the provisional ones and the embeddings of all speakers:
    /// the stream is analysed up to `analysed_s`. Speakers do not become fewer.
    pub(super) fn publish<'a>(
        &mut self,
        analysed_s: f64,
        voices: impl Iterator<Item = ArrayView1<'a, f32>>,
        settled: Vec<LiveSegment>,
        provisional: Vec<LiveSegment>,
    ) {
        self.analysed_s = analysed_s;
        for (speaker, voice) in voices.enumerate() {
            self.set_embedding(speaker, voice);
        }
        for live in &settled {
            if let Some(speaker) = self.speakers.get_mut(live.segment.speaker) {
                speaker.speech_s += live.segment.end_s - live.segment.start_s;
            }
        }
        self.settled.extend(settled);
        self.provisional = provisional.into();
        self.updates += 1;
    }

    /// Room for so many more final segments.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn reserve(&mut self, segments: usize) -> Result<()> {
        memory::reserve_back("segments", &mut self.settled, segments)
    }

    /// Replaces the embedding of a speaker; speakers are numbered without gaps.
    fn set_embedding(&mut self, speaker: usize, voice: ArrayView1<'_, f32>) {
        match self.speakers.get_mut(speaker) {
            Some(known) => {
                known.embedding.clear();
                known.embedding.extend(voice);
            }
            None => self.speakers.push(Speaker {
                label: format!("SPEAKER_{speaker:02}"),
                speech_s: 0.0,
                embedding: voice.to_vec(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Segment;

    fn live(start_s: f64, speaker: usize, is_final: bool) -> LiveSegment {
        let segment = Segment { start_s, end_s: start_s + 2.0, speaker, confidence: 0.5, overlap: false };
        LiveSegment { segment, is_final }
    }

    /// Posts segments of two speakers by their start.
    fn publish(queue: &mut SegmentQueue, settled: &[f64], provisional: &[f64]) {
        let of = |starts: &[f64], is_final| starts.iter().map(|&start| live(start, 1, is_final)).collect();
        let voices = [[1.0, 0.0], [0.0, 1.0]];
        let views = voices.iter().map(|voice| ArrayView1::from(voice.as_slice()));
        queue.publish(9.0, views, of(settled, true), of(provisional, false));
    }

    fn starts(queue: &mut SegmentQueue, most: usize) -> Vec<(f64, bool)> {
        queue.read(most).iter().map(|live| (live.segment.start_s, live.is_final)).collect()
    }

    #[test]
    fn final_segments_come_once_and_before_the_others() {
        let mut queue = SegmentQueue::default();
        publish(&mut queue, &[0.0, 1.0, 2.0], &[3.0, 4.0]);
        assert_eq!(queue.waiting(), 5);
        assert_eq!(starts(&mut queue, 0), []);
        assert_eq!(starts(&mut queue, 2), [(0.0, true), (1.0, true)]);
        assert_eq!(starts(&mut queue, 2), [(2.0, true), (3.0, false)]);
        assert_eq!(starts(&mut queue, usize::MAX), [(4.0, false)]);
        assert_eq!((queue.waiting(), starts(&mut queue, 9)), (0, vec![]));
    }

    #[test]
    fn segments_that_are_not_final_are_replaced_and_final_ones_are_kept() {
        let mut queue = SegmentQueue::default();
        publish(&mut queue, &[0.0], &[1.0, 2.0]);
        publish(&mut queue, &[1.0], &[2.5]);
        assert_eq!(starts(&mut queue, 9), [(0.0, true), (1.0, true), (2.5, false)]);
        publish(&mut queue, &[], &[3.0]);
        publish(&mut queue, &[], &[]);
        let updates = queue.updates;
        queue.publish(9.0, std::iter::empty(), Vec::new(), Vec::new());
        // What was read does not hold any more, though there is nothing to read.
        assert_eq!((queue.updates, starts(&mut queue, 9)), (updates + 1, vec![]));
    }

    #[test]
    fn speakers_have_the_speech_of_final_segments_and_the_newest_voice() {
        let mut queue = SegmentQueue::default();
        publish(&mut queue, &[0.0, 5.0], &[9.0]);
        let views = [[0.6, 0.8], [0.8, 0.6]];
        queue.publish(9.0, views.iter().map(|voice| ArrayView1::from(voice.as_slice())), vec![], vec![]);
        let speech_s: Vec<f64> = queue.speakers.iter().map(|speaker| speaker.speech_s).collect();
        assert_eq!(speech_s, [0.0, 4.0]);
        assert_eq!(queue.speakers[1].label, "SPEAKER_01");
        assert_eq!(queue.speakers[1].embedding, [0.8, 0.6]);
    }
}
