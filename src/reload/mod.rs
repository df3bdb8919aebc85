//! Another model in the place of the running one, without a pause: the new one is loaded, checked
//! and made ready beside it, and takes over at once. Owns which version is current and which are
//! still in use; what makes a version ready is the room's of its type.
//!
//! ```text
//! reload ──> wait ──> load ──────────────> warm ──────> smoke ───────> swap ──> current
//!            turn     sha256, contract,    run slots    a recording             older ones: until their
//!                     golden vector                     end to end              last call or stream ends
//! ```
//!
//! Calls under way and streams end on the version that they began with. A failure before the swap
//! changes nothing.

mod failed;
mod versioned;

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;

pub use failed::{Failed, Step};
pub use versioned::Versioned;

use crate::call::Call;
use crate::config::Config;
use crate::error::Error;
use crate::loading;
use crate::model::ModelInfo;
use crate::pool::{Lease, Pool};
use crate::process::Process;
use crate::sync::Mutex;
use crate::usage::{Readiness, Usage};

/// A version that is current, or that something still uses.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Version {
    /// Number of the version, from 1 on: each reload counts.
    pub number: u64,
    /// What its model says of itself.
    pub model: ModelInfo,
    /// Whether new calls and streams use it.
    pub is_current: bool,
    /// Calls under way on it, those of streams aside.
    pub calls: usize,
    /// Streams that work with it.
    pub streams: usize,
}

/// A [`Diarizer`](crate::Diarizer) or a [`Session`](crate::model::Session) whose model can be
/// exchanged while it is in use. Clones are the same; any thread may use them, concurrently.
///
/// ```
/// use voiceflow::{Call, Config, Diarizer, Reloadable};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::default();
/// let diarizer = Reloadable::new(Diarizer::new(&config)?);
/// let meeting = diarizer.current().process_file("examples/data/conversation.flac", &Call::none())?;
/// // With a model file that was published meanwhile; calls of other threads go on.
/// diarizer.reload(&config, &Call::none())?;
/// let versions = diarizer.versions()?;
/// # assert_eq!((versions.len(), versions[0].number, versions[0].is_current), (1, 2, true));
/// # assert_eq!(meeting.speakers.len(), 3);
/// # Ok(())
/// # }
/// ```
pub struct Reloadable<T: Versioned>(Arc<Shared<T>>);

struct Shared<T> {
    /// Its locks are known in this process only.
    process: Process,
    /// Without a lock, so that no reader ever waits, in a child of fork(2) neither.
    current: ArcSwap<T>,
    /// The current version last, and older ones that may still be in use.
    entries: Mutex<Vec<Entry>>,
    /// Held by the one reload that is under way.
    turn: Pool<()>,
}

struct Entry {
    number: u64,
    model: ModelInfo,
    usage: Weak<Usage>,
}

impl Entry {
    fn new<T: Versioned>(number: u64, value: &T) -> Self {
        Self { number, model: value.model().clone(), usage: Arc::downgrade(value.usage()) }
    }
}

impl<T: Versioned> Clone for Reloadable<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Versioned> std::fmt::Debug for Reloadable<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloadable").field("model", &self.current().model().name).finish_non_exhaustive()
    }
}

/// Loads a version, makes all of it ready and checks it, as [`Reloadable::reload`] does, without
/// putting it in the place of another.
///
/// # Errors
/// As [`Reloadable::reload`].
pub fn prepare<T: Versioned>(config: &Config, call: &Call<'_>) -> Result<T, Failed> {
    prepare_like(config, Readiness::ALL, |_| Ok(()), call)
}

impl<T: Versioned> Reloadable<T> {
    /// Begins with `first`, as it is.
    pub fn new(first: T) -> Self {
        let entry = Entry::new(1, &first);
        Self(Arc::new(Shared {
            process: Process::current(),
            current: ArcSwap::from_pointee(first),
            entries: Mutex::new(vec![entry]),
            turn: Pool::new((), 1),
        }))
    }

    /// The version that new work uses. It stays as it is for as long as it is held. Waits for
    /// nothing.
    pub fn current(&self) -> Arc<T> {
        self.0.current.load_full()
    }

    /// Loads the models of `config` beside the running version, checks them (SHA-256, contract,
    /// golden vector, and a smoke recording that is diarized end to end), makes as many run slots
    /// ready as the running version has, and swaps. One reload goes on at a time: others wait for
    /// their turn, in the order in which they came. Meanwhile both versions are in memory.
    ///
    /// The smoke recording shows that the models work on this machine. How good they are is a
    /// question for recordings with known answers.
    ///
    /// # Errors
    /// [`Failed`] with the step that failed; the running version goes on. The deadline and the
    /// switch of `call` end the wait and the load, as they end [`Diarizer::load`].
    ///
    /// [`Diarizer::load`]: crate::Diarizer::load
    pub fn reload(&self, config: &Config, call: &Call<'_>) -> Result<Arc<T>, Failed> {
        let _turn = self.turn(call)?;
        let next = self.prepare_in_turn(config, call)?;
        Ok(self.swap(next))
    }

    /// The first half of [`Reloadable::reload`]: a version that is ready and is not used yet.
    ///
    /// # Errors
    /// As [`Reloadable::reload`].
    pub fn prepare(&self, config: &Config, call: &Call<'_>) -> Result<T, Failed> {
        let _turn = self.turn(call)?;
        self.prepare_in_turn(config, call)
    }

    /// The second half of [`Reloadable::reload`]: `next` is the current version from here on. Waits
    /// for a reload that is under way.
    ///
    /// # Errors
    /// [`Failed`] of [`Step::Wait`]; of [`Step::Load`] for a session of other sizes.
    pub fn replace(&self, next: T, call: &Call<'_>) -> Result<Arc<T>, Failed> {
        let _turn = self.turn(call)?;
        next.check_replaces(&self.current()).map_err(Step::Load.failed())?;
        Ok(self.swap(next))
    }

    /// The current version, and older ones that calls, streams or clones still hold, the newest
    /// first.
    ///
    /// # Errors
    /// [`Error::Forked`] in a child of the process that made it.
    pub fn versions(&self) -> Result<Vec<Version>, Error> {
        self.check_process()?;
        let mut entries = self.0.entries.lock();
        let newest = entries.last().map_or(0, |entry| entry.number);
        entries.retain(|entry| entry.usage.strong_count() > 0);
        let version = |entry: &Entry| {
            // It may be gone since.
            let usage = entry.usage.upgrade()?;
            Some(Version {
                number: entry.number,
                model: entry.model.clone(),
                is_current: entry.number == newest,
                calls: usage.calls(),
                streams: usage.streams(),
            })
        };
        Ok(entries.iter().rev().filter_map(version).collect())
    }

    fn check_process(&self) -> Result<(), Error> {
        self.0.process.check(&self.current().model().name)
    }

    fn turn(&self, call: &Call<'_>) -> Result<Lease<'_, ()>, Failed> {
        let taken = self.check_process().and_then(|()| {
            call.without_result("a reload")?;
            self.0.turn.take(call, || Ok(()))
        });
        taken.map_err(Step::Wait.failed())
    }

    fn prepare_in_turn(&self, config: &Config, call: &Call<'_>) -> Result<T, Failed> {
        let running = self.current();
        let readiness = running.readiness();
        prepare_like(config, readiness, move |next: &T| next.check_replaces(&running), call)
    }

    /// Nobody else swaps meanwhile: the turn is the caller's.
    fn swap(&self, next: T) -> Arc<T> {
        let mut entries = self.0.entries.lock();
        let number = entries.last().map_or(0, |entry| entry.number) + 1;
        entries.retain(|entry| entry.usage.strong_count() > 0);
        entries.push(Entry::new(number, &next));
        let next = Arc::new(next);
        let old = self.0.current.swap(Arc::clone(&next));
        // Where nothing uses it, its networks are freed here, which takes a while.
        drop(entries);
        drop(old);
        next
    }
}

/// Loads the models of `config` and makes them as ready as `readiness` says. `accept` refuses what
/// cannot take the place of the running version, before work is put into it.
fn prepare_like<T: Versioned>(
    config: &Config,
    readiness: Readiness,
    accept: impl FnOnce(&T) -> Result<(), Error> + Send + 'static,
    call: &Call<'_>,
) -> Result<T, Failed> {
    T::check(config).map_err(Step::Load.failed())?;
    let config = config.clone();
    let reached = Arc::new(Mutex::new(Step::Load));
    let step = Arc::clone(&reached);
    let prepared = loading::run(call, move |call| {
        let next = T::open(&config, call)?;
        accept(&next)?;
        *step.lock() = Step::Warm;
        next.warm(readiness, call)?;
        *step.lock() = Step::Smoke;
        next.smoke(readiness, call)?;
        Ok(next)
    });
    prepared.map_err(|error| Failed { step: *reached.lock(), error })
}
