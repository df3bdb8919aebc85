//! What a stream was given and has not processed: bounded, and in the order in which it came.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Samples, TURN_S};

/// Audio in seconds from which a mailbox has no room.
const MAILBOX_S: f64 = 2.0;
/// Messages from which a mailbox has no room, however short they are.
const MAILBOX_MESSAGES: usize = 1024;
/// Audio in seconds by which a stream may be ahead of its time before others are served first.
const AHEAD_S: f64 = 2.0;
/// Time after which audio is no longer kept for the rest of its window, where nothing more comes.
const QUIET: Duration = Duration::from_millis(250);
/// Seconds of less than a sample, by which sums of lengths may differ.
const ROUNDING_S: f64 = 1e-6;

/// Samples with the time at which they came in, or an order.
enum Input<S> {
    Audio(Samples, Instant),
    Configure(S),
    Reset(S),
    End,
}

/// What is done in one turn.
pub(super) enum Portion<S> {
    /// Samples, with the time at which they came in: at most [`TURN_S`] of audio.
    Audio(Vec<(Samples, Instant)>),
    /// The stream, which has no samples yet, has these settings.
    Configure(S),
    /// The stream begins anew, with these settings.
    Reset(S),
    /// The stream ends.
    End,
}

/// The mailbox of one stream with settings `S`.
pub(super) struct Mailbox<S> {
    waiting: VecDeque<Input<S>>,
    /// Inputs that are no audio.
    orders: usize,
    audio_s: f64,
    /// Audio in seconds without which a turn would bring nothing.
    needed_s: f64,
    /// Whether the stream stands in the run queue or has a turn.
    scheduled: bool,
    closed: bool,
    values_per_s: f64,
    began: Instant,
    taken_s: f64,
}

impl<S> Mailbox<S> {
    /// Nothing waits; a second of audio has so many values.
    pub(super) fn new(values_per_s: f64) -> Self {
        Self {
            waiting: VecDeque::new(),
            orders: 0,
            audio_s: 0.0,
            needed_s: 0.0,
            scheduled: false,
            closed: false,
            values_per_s,
            began: Instant::now(),
            taken_s: 0.0,
        }
    }

    /// Changes the settings, before the first samples.
    pub(super) fn configure(&mut self, values_per_s: f64, settings: S) {
        self.values_per_s = values_per_s;
        self.order(Input::Configure(settings));
    }

    /// Adds samples that came in just now.
    pub(super) fn push(&mut self, samples: Samples) {
        if !self.closed {
            self.audio_s += samples.len() as f64 / self.values_per_s;
            self.waiting.push_back(Input::Audio(samples, Instant::now()));
        }
    }

    /// Throws away what waits, and lets the stream begin anew.
    pub(super) fn reset(&mut self, values_per_s: f64, settings: S) {
        let (scheduled, closed) = (self.scheduled, self.closed);
        *self = Self { scheduled, closed, ..Self::new(values_per_s) };
        self.order(Input::Reset(settings));
    }

    /// Lets the stream end after what waits.
    pub(super) fn end(&mut self) {
        self.order(Input::End);
    }

    fn order(&mut self, input: Input<S>) {
        if !self.closed {
            self.orders += 1;
            self.waiting.push_back(input);
        }
    }

    /// Throws away what waits and what comes.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
    }

    /// Says how much audio a turn needs to bring anything.
    pub(super) fn need(&mut self, seconds: f64) {
        self.needed_s = seconds;
    }

    /// Keeps audio no longer for the rest of its window, where nothing more comes: a client that
    /// waits for its acknowledgement gets it.
    pub(super) fn look_at_clock(&mut self) {
        if let Some(Input::Audio(_, since)) = self.waiting.back()
            && since.elapsed() > QUIET
        {
            self.needed_s = 0.0;
        }
    }

    /// Whether more may be given.
    pub(super) fn has_room(&self) -> bool {
        self.audio_s < MAILBOX_S && self.waiting.len() < MAILBOX_MESSAGES
    }

    /// How long the oldest audio has waited for a turn.
    pub(super) fn behind(&self) -> Duration {
        let oldest = self.waiting.iter().find_map(|input| match input {
            Input::Audio(_, since) => Some(since.elapsed()),
            _ => None,
        });
        oldest.filter(|_| self.scheduled).unwrap_or_default()
    }

    /// Has a place in the run queue, if a turn would bring anything and there is none yet: whether
    /// the stream has had more audio processed than time has passed.
    pub(super) fn schedule(&mut self) -> Option<bool> {
        if self.scheduled || !self.is_due() {
            return None;
        }
        self.scheduled = true;
        Some(self.taken_s > self.began.elapsed().as_secs_f64() + AHEAD_S)
    }

    /// Gives the turn back.
    pub(super) fn yield_turn(&mut self) {
        self.scheduled = false;
    }

    /// Whether a turn would bring anything: a window, what is no audio, or room.
    fn is_due(&self) -> bool {
        !self.waiting.is_empty()
            && (self.orders > 0 || self.audio_s + ROUNDING_S > self.needed_s || !self.has_room())
    }

    /// The oldest input; of audio at most [`TURN_S`], the rest stays.
    pub(super) fn take(&mut self) -> Option<Portion<S>> {
        let mut room = ((TURN_S * self.values_per_s) as usize).max(1);
        let mut pieces = Vec::new();
        while room > 0 {
            let Some(input) = self.waiting.pop_front() else { break };
            match input {
                Input::Audio(mut samples, since) => {
                    let part = samples.take_front(room);
                    room -= part.len();
                    let taken_s = part.len() as f64 / self.values_per_s;
                    self.audio_s = (self.audio_s - taken_s).max(0.0);
                    self.taken_s += taken_s;
                    pieces.push((part, since));
                    if samples.len() > 0 {
                        self.waiting.push_front(Input::Audio(samples, since));
                    }
                }
                order if !pieces.is_empty() => {
                    self.waiting.push_front(order);
                    break;
                }
                Input::Configure(settings) => {
                    self.orders -= 1;
                    return Some(Portion::Configure(settings));
                }
                Input::Reset(settings) => {
                    self.orders -= 1;
                    return Some(Portion::Reset(settings));
                }
                Input::End => {
                    self.orders -= 1;
                    return Some(Portion::End);
                }
            }
        }
        (!pieces.is_empty()).then_some(Portion::Audio(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 16 kHz mono.
    fn mailbox() -> Mailbox<()> {
        Mailbox::new(16_000.0)
    }

    fn audio(seconds: f64) -> Samples {
        Samples::I16(vec![0; (16_000.0 * seconds) as usize])
    }

    /// The lengths in milliseconds of the pieces of a turn.
    fn lengths(portion: Option<Portion<()>>) -> Vec<usize> {
        let Some(Portion::Audio(pieces)) = portion else { panic!("no audio") };
        pieces.iter().map(|(samples, _)| samples.len() / 16).collect()
    }

    #[test]
    fn a_turn_waits_for_the_audio_of_a_window_and_takes_that_of_one() {
        let mut mailbox = mailbox();
        mailbox.push(audio(0.1));
        // Nothing is known of windows before the first turn.
        assert_eq!(mailbox.schedule(), Some(false));
        assert_eq!(lengths(mailbox.take()), [100]);
        mailbox.need(0.3);
        mailbox.yield_turn();
        for _ in 0..2 {
            mailbox.push(audio(0.1));
            assert_eq!(mailbox.schedule(), None);
        }
        // Waiting for the rest of a window is no delay of ours.
        assert_eq!(mailbox.behind(), Duration::ZERO);
        mailbox.push(audio(0.1));
        assert_eq!(mailbox.schedule(), Some(false));
        assert_eq!(mailbox.schedule(), None);
        assert!(mailbox.behind() > Duration::ZERO);
        mailbox.push(audio(0.3));
        assert_eq!(lengths(mailbox.take()), [100, 100, 100, 100]);
        mailbox.need(0.3);
        mailbox.yield_turn();
        assert_eq!(mailbox.schedule(), None);
        mailbox.push(audio(0.1));
        assert_eq!(mailbox.schedule(), Some(false));
        assert_eq!(lengths(mailbox.take()), [200, 100]);
        assert!(mailbox.take().is_none());
    }

    #[test]
    fn the_end_waits_for_no_window_and_comes_after_the_audio() {
        let mut mailbox = mailbox();
        mailbox.need(0.4);
        mailbox.push(audio(0.1));
        assert_eq!(mailbox.schedule(), None);
        mailbox.end();
        assert_eq!(mailbox.schedule(), Some(false));
        assert_eq!(lengths(mailbox.take()), [100]);
        mailbox.need(0.3);
        mailbox.yield_turn();
        assert_eq!(mailbox.schedule(), Some(false));
        assert!(matches!(mailbox.take(), Some(Portion::End)));
        mailbox.yield_turn();
        assert_eq!(mailbox.schedule(), None);
    }

    #[test]
    fn audio_that_nothing_follows_has_a_turn_though_no_window_is_complete() {
        let mut mailbox = mailbox();
        mailbox.need(0.4);
        mailbox.push(audio(0.1));
        assert_eq!(mailbox.schedule(), None);
        std::thread::sleep(QUIET + Duration::from_millis(1));
        mailbox.look_at_clock();
        assert_eq!(mailbox.schedule(), Some(false));
        assert_eq!(lengths(mailbox.take()), [100]);
    }

    #[test]
    fn a_reset_throws_away_what_waits() {
        let mut mailbox = mailbox();
        mailbox.need(0.4);
        mailbox.push(audio(0.1));
        mailbox.reset(16_000.0, ());
        mailbox.push(audio(0.1));
        assert_eq!(mailbox.schedule(), Some(false));
        assert!(matches!(mailbox.take(), Some(Portion::Reset(_))));
        assert_eq!(lengths(mailbox.take()), [100]);
    }

    #[test]
    fn settings_come_after_a_reset_that_waits() {
        let mut mailbox = Mailbox::new(16_000.0);
        mailbox.push(audio(0.1));
        mailbox.reset(16_000.0, "first");
        mailbox.configure(8_000.0, "second");
        assert!(matches!(mailbox.take(), Some(Portion::Reset("first"))));
        assert!(matches!(mailbox.take(), Some(Portion::Configure("second"))));
        assert!(mailbox.take().is_none());
    }

    #[test]
    fn a_full_mailbox_is_emptied_though_no_window_is_complete() {
        let mut mailbox = mailbox();
        mailbox.need(60.0);
        for _ in 0..19 {
            mailbox.push(audio(0.1));
        }
        assert!(mailbox.has_room() && mailbox.schedule().is_none());
        mailbox.push(audio(0.2));
        assert!(!mailbox.has_room());
        assert_eq!(mailbox.schedule(), Some(false));
        let mut tiny = self::mailbox();
        tiny.need(60.0);
        (0..MAILBOX_MESSAGES).for_each(|_| tiny.push(Samples::I16(vec![0])));
        assert_eq!((tiny.has_room(), tiny.schedule()), (false, Some(false)));
        assert_eq!(lengths(tiny.take()).len(), MAILBOX_MESSAGES);
    }

    #[test]
    fn who_is_ahead_of_speech_is_known() {
        let mut mailbox = mailbox();
        for _ in 0..6 {
            mailbox.push(audio(0.4));
            assert_eq!(mailbox.schedule(), Some(false));
            assert_eq!(lengths(mailbox.take()), [400]);
            mailbox.yield_turn();
        }
        mailbox.push(audio(0.4));
        assert_eq!(mailbox.schedule(), Some(true));
    }

    #[test]
    fn a_closed_mailbox_takes_nothing() {
        let mut mailbox = mailbox();
        mailbox.push(audio(0.1));
        mailbox.close();
        mailbox.push(audio(0.1));
        mailbox.end();
        mailbox.reset(16_000.0, ());
        assert!(mailbox.schedule().is_none() && mailbox.take().is_none());
    }
}
