//! Samples of pushes that wait for other calls of their stream. They are taken with the push,
//! whatever becomes of its waiting.

use std::collections::VecDeque;

use super::samples::Samples;
use crate::error::{Error, Result};
use crate::memory;

/// Interleaved samples of pushes under way or ended early, in their order.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: VecDeque<(u64, Vec<f32>)>,
    /// Values in all of them.
    values: usize,
    /// Number of the next push.
    next: u64,
    /// Why no samples are taken any more.
    closed: Option<&'static str>,
}

impl Inbox {
    /// Fails where no samples are taken any more.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(super) fn check_open(&self) -> Result<()> {
        match self.closed {
            Some(reason) => Err(Error::invalid("stream", reason)),
            None => Ok(()),
        }
    }

    /// The stream ends with what waits: it takes no more.
    pub(super) fn end(&mut self) {
        self.closed = Some("expected no audio after finish; reset it first");
    }

    /// Samples were lost for want of memory: none that come after them are taken.
    pub(super) fn lose(&mut self) {
        self.closed =
            Some("expected no audio after some for which there was no memory; finish or reset it first");
        self.waiting.clear();
        self.values = 0;
    }

    /// Takes the samples of one push, all of them or none. No more than `most` values wait.
    ///
    /// # Errors
    /// Those of [`Inbox::check_open`]; [`Error::Limit`], [`Error::Memory`].
    pub(super) fn put(&mut self, samples: &Samples<'_>, most: usize) -> Result<()> {
        self.check_open()?;
        let values = self.values.saturating_add(samples.len());
        if values > most {
            return Err(Error::Limit(format!(
                "stream: expected at most {most} values to wait for another call of the stream, got {values}"
            )));
        }
        memory::reserve_back("audio", &mut self.waiting, 1)?;
        self.waiting.push_back((self.next, samples.copied()?));
        self.values = values;
        self.next += 1;
        Ok(())
    }

    /// The samples that have waited the longest.
    pub(super) fn pop(&mut self) -> Option<Vec<f32>> {
        let (_, samples) = self.waiting.pop_front()?;
        self.values -= samples.len();
        Some(samples)
    }

    /// Number of the next push.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Drops the samples of pushes before number `next`, and takes samples again.
    pub(super) fn reset(&mut self, next: u64) {
        self.waiting.retain(|(number, _)| *number >= next);
        self.values = self.waiting.iter().map(|(_, samples)| samples.len()).sum();
        self.closed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(inbox: &mut Inbox, samples: &[f32]) -> Result<()> {
        inbox.put(&Samples::F32(samples), 5)
    }

    #[test]
    fn samples_come_out_in_their_order_and_are_taken_whole_or_not() {
        let mut inbox = Inbox::default();
        put(&mut inbox, &[1.0, 2.0]).unwrap();
        put(&mut inbox, &[3.0]).unwrap();
        let error = put(&mut inbox, &[4.0; 3]).unwrap_err();
        assert!(matches!(&error, Error::Limit(text) if text.ends_with("got 6")), "{error}");
        assert_eq!(inbox.pop(), Some(vec![1.0, 2.0]));
        put(&mut inbox, &[4.0; 3]).unwrap();
        assert_eq!([inbox.pop(), inbox.pop(), inbox.pop()], [Some(vec![3.0]), Some(vec![4.0; 3]), None]);
    }

    #[test]
    fn a_reset_drops_what_came_before_it_and_opens_again() {
        let mut inbox = Inbox::default();
        put(&mut inbox, &[1.0]).unwrap();
        let reset = inbox.next();
        put(&mut inbox, &[2.0]).unwrap();
        inbox.end();
        let error = put(&mut inbox, &[3.0]).unwrap_err();
        assert_eq!(error.to_string(), "stream: expected no audio after finish; reset it first");
        inbox.reset(reset);
        put(&mut inbox, &[3.0]).unwrap();
        assert_eq!([inbox.pop(), inbox.pop(), inbox.pop()], [Some(vec![2.0]), Some(vec![3.0]), None]);
    }

    #[test]
    fn nothing_that_comes_after_lost_samples_is_taken() {
        let mut inbox = Inbox::default();
        put(&mut inbox, &[1.0]).unwrap();
        inbox.lose();
        assert_eq!(inbox.pop(), None);
        let error = put(&mut inbox, &[2.0]).unwrap_err();
        assert!(error.to_string().contains("for which there was no memory"), "{error}");
    }
}
