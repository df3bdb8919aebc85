//! One recording in the queue.

use std::any::Any;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{oneshot, watch};
use voiceflow::error::Stage;
use voiceflow::{Cancel, Turn};

use super::super::Failure;
use super::super::options::Options;
use super::super::shadow::{Heard, Shadow};
use crate::models::Chosen;
use crate::traces::Span;
use crate::voices::{Answered, Known};

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What is under way.
    pub stage: Stage,
    /// The share of it that is done, 0 to 1.
    pub fraction: f32,
}

/// A recording that is to be diarized.
pub struct Job {
    /// The recording.
    pub file: File,
    /// What the client calls it, in errors.
    pub name: String,
    /// What is asked of it.
    pub options: Options,
    /// Longest recording in seconds.
    pub audio_s: f64,
    /// When it must be done.
    pub deadline: Instant,
    /// Whether that is sooner than the server wants it done.
    pub is_hurried: bool,
    /// Set when nobody waits for it any more.
    pub cancel: Cancel,
    /// The model that diarizes it.
    pub chosen: Chosen,
    /// What must live as long as the file: its place in the spool.
    pub place: Place,
    /// Whose voices its speakers may be.
    pub known: Option<Known>,
    /// The time in which it waits.
    pub span: Span,
    /// Gets how far it is.
    pub progress: watch::Sender<Progress>,
    /// Gets the result.
    pub reply: oneshot::Sender<Result<Answered, Failure>>,
}

/// What lives as long as it is kept.
pub type Place = Arc<dyn Any + Send + Sync>;

/// Lets go of all that a recording holds, and says who waits for its answer. Where a candidate is
/// compared by its turns, the recording goes on to it.
pub(super) fn let_go(
    job: Job,
    compared: Option<(Arc<Shadow>, Vec<Turn>)>,
) -> oneshot::Sender<Result<Answered, Failure>> {
    let Job { file, name, options, audio_s, place, span, reply, .. } = job;
    span.end();
    if let Some((shadow, given)) = compared {
        shadow.add(Heard { file, name, options, audio_s, place, given });
    }
    reply
}
