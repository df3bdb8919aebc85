//! What a stream has to say, until its socket takes it. Final segments are kept, provisional ones
//! and the time that is processed are replaced, so that a slow socket gets fewer messages and none
//! that is old.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::voices::Answered;
use crate::work::Failure;

/// Bytes that a segment takes in a message, about.
const SEGMENT_BYTES: usize = 96;

/// A segment of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Start in seconds from the first sample.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
    /// The label of the speaker in this stream.
    pub speaker: String,
    /// The name of the speaker, where a gallery knows it.
    pub name: Option<String>,
    /// Mean probability, 0 to 1, that the speaker is talking.
    pub confidence: f32,
}

/// Something that a stream has to say.
#[derive(Debug)]
pub enum Event {
    /// Segments that never change again.
    Final(Vec<Labelled>),
    /// Segments in place of all earlier ones that were not final.
    Provisional(Vec<Labelled>),
    /// The seconds of audio that are processed.
    Processed(f64),
    /// The stream is as new.
    Reset,
    /// The stream is finished: who each speaker is in the result, and the result where it was asked
    /// for.
    Done {
        /// The label in the result of each label of the stream.
        map: BTreeMap<String, Option<String>>,
        /// The result.
        result: Option<Answered>,
        /// Seconds of audio.
        duration_s: f64,
    },
    /// The stream failed.
    Failed(Failure),
}

/// What is taken out at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which they are to be sent.
    pub events: Vec<Event>,
    /// When the audio came in that the segments are of.
    pub since: Option<Instant>,
}

/// The events of one stream.
pub struct Outbox {
    state: Mutex<State>,
    most_bytes: usize,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kept: VecDeque<Event>,
    bytes: usize,
    provisional: Option<Vec<Labelled>>,
    processed_s: Option<f64>,
    since: Option<Instant>,
    overflowed: bool,
}

impl Outbox {
    /// Room for about `most_bytes` of messages.
    pub fn new(most_bytes: usize) -> Self {
        Self { state: Mutex::default(), most_bytes, changed: Notify::new() }
    }

    /// Adds what one push of audio that came in at `since` has given. Where there is no room for
    /// final segments, the outbox has overflowed: none of them is left out in silence.
    pub fn publish(
        &self,
        settled: Vec<Labelled>,
        provisional: Option<Vec<Labelled>>,
        processed_s: f64,
        since: Instant,
    ) {
        let mut state = self.state.lock();
        if !settled.is_empty() {
            state.bytes += SEGMENT_BYTES * settled.len();
            state.kept.push_back(Event::Final(settled));
            state.overflowed |= state.bytes > self.most_bytes;
        }
        if provisional.is_some() {
            state.provisional = provisional;
            state.since.get_or_insert(since);
        }
        state.processed_s = Some(processed_s);
        drop(state);
        self.changed.notify_one();
    }

    /// Adds what cannot be replaced: the end, a failure, a reset.
    pub fn post(&self, event: Event) {
        let mut state = self.state.lock();
        // What was provisional is final by now, or holds no more.
        state.provisional = None;
        state.kept.push_back(event);
        drop(state);
        self.changed.notify_one();
    }

    /// Takes out all there is; `None` once the outbox has overflowed.
    pub fn take(&self) -> Option<Batch> {
        let mut state = self.state.lock();
        if state.overflowed {
            return None;
        }
        state.bytes = 0;
        let mut events: Vec<Event> = state.kept.drain(..).collect();
        let ended = events.iter().position(|event| matches!(event, Event::Done { .. } | Event::Failed(_)));
        let mut more: Vec<Event> = Vec::new();
        more.extend(state.provisional.take().map(Event::Provisional));
        more.extend(state.processed_s.take().map(Event::Processed));
        // Nothing comes after the end.
        let place = ended.unwrap_or(events.len());
        events.splice(place..place, more);
        Some(Batch { events, since: state.since.take() })
    }

    /// Waits until there may be something to take.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start_s: f64) -> Labelled {
        Labelled { start_s, end_s: start_s + 1.0, speaker: "SPEAKER_00".into(), name: None, confidence: 0.5 }
    }

    /// The events as text: `f` final, `p` provisional, with the starts; `a` the processed time.
    fn shown(outbox: &Outbox) -> Option<Vec<String>> {
        let starts = |segments: &[Labelled]| -> String {
            segments.iter().map(|segment| format!(" {}", segment.start_s)).collect()
        };
        let show = |event: &Event| match event {
            Event::Final(segments) => format!("f{}", starts(segments)),
            Event::Provisional(segments) => format!("p{}", starts(segments)),
            Event::Processed(seconds) => format!("a {seconds}"),
            Event::Reset => "reset".into(),
            Event::Done { .. } => "done".into(),
            Event::Failed(_) => "failed".into(),
        };
        outbox.take().map(|batch| batch.events.iter().map(show).collect())
    }

    #[test]
    fn final_segments_are_kept_and_the_rest_is_replaced() {
        let (outbox, now) = (Outbox::new(1000), Instant::now());
        outbox.publish(vec![segment(0.0)], Some(vec![segment(1.0)]), 2.0, now);
        outbox.publish(vec![segment(1.0)], Some(vec![segment(2.0)]), 2.4, now);
        outbox.publish(vec![], None, 2.8, now);
        assert_eq!(shown(&outbox).unwrap(), ["f 0", "f 1", "p 2", "a 2.8"]);
        assert!(shown(&outbox).unwrap().is_empty());
        outbox.publish(vec![segment(2.0)], Some(vec![]), 3.0, now);
        outbox.post(Event::Done { map: BTreeMap::new(), result: None, duration_s: 3.0 });
        assert_eq!(shown(&outbox).unwrap(), ["f 2", "a 3", "done"]);
    }

    #[test]
    fn the_response_time_is_that_of_the_oldest_audio() {
        let (outbox, early) = (Outbox::new(1000), Instant::now());
        outbox.publish(vec![], Some(vec![]), 1.0, early);
        outbox.publish(vec![], Some(vec![]), 2.0, Instant::now());
        assert_eq!(outbox.take().unwrap().since, Some(early));
        assert_eq!(outbox.take().unwrap().since, None);
    }

    #[test]
    fn room_is_bounded_and_nothing_final_is_lost_in_silence() {
        let (outbox, now) = (Outbox::new(10 * SEGMENT_BYTES), Instant::now());
        let ten: Vec<Labelled> = (0..10).map(|start| segment(f64::from(start))).collect();
        outbox.publish(ten.clone(), None, 1.0, now);
        assert!(shown(&outbox).is_some());
        outbox.publish(ten, None, 1.0, now);
        outbox.publish(vec![segment(0.0)], None, 1.0, now);
        assert_eq!(shown(&outbox), None);
    }
}
