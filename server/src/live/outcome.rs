//! The ways in which a stream ends.

use axum::extract::ws::close_code;

use crate::work::FAILED;

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    /// The client ended it, and has its answer.
    Done,
    /// The client went away.
    Gone,
    /// The client sent what cannot be served.
    Refused,
    /// Nothing came for too long.
    Idle,
    /// The client took too long to read.
    SlowConsumer,
    /// The workers cannot keep up.
    Backlog,
    /// It lasted as long as a stream may.
    TooLong,
    /// The server ended.
    Drained,
    /// The server failed.
    Failed,
}

/// How a stream ended, and after how much audio.
pub(super) struct Outcome {
    pub(super) how: How,
    pub(super) audio_s: f64,
}

impl Outcome {
    /// In metrics and logs.
    pub(super) fn name(&self) -> &'static str {
        match self.how {
            How::Done => "done",
            How::Gone => "gone",
            How::Refused => "refused",
            How::Idle => "idle",
            How::SlowConsumer => "slow_consumer",
            How::Backlog => "backlog",
            How::TooLong => "too_long",
            How::Drained => "drained",
            How::Failed => "failed",
        }
    }

    /// Seconds of audio that came in.
    pub(super) fn audio_s(&self) -> f64 {
        self.audio_s
    }
}

impl How {
    /// What that says of the models that were asked.
    pub(super) fn of_models(self) -> &'static str {
        match self {
            How::Failed => FAILED,
            How::Refused => "refused",
            _ => "done",
        }
    }

    /// The code of the closing frame: RFC 6455, section 7.4.1, and 1012 and 1013 of its registry.
    pub(super) fn close_code(self) -> u16 {
        match self {
            How::Done | How::Gone => close_code::NORMAL,
            How::Refused => close_code::INVALID,
            How::Idle | How::SlowConsumer | How::TooLong => close_code::POLICY,
            How::Backlog => close_code::AGAIN,
            How::Drained => close_code::RESTART,
            How::Failed => close_code::ERROR,
        }
    }
}
