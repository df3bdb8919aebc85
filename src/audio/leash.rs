//! How far a demuxer may read on. It owns what the file beneath the demuxer and the loop above it
//! share: the count of bytes since the last piece of audio, the caller's wishes, and why the data
//! ended. A demuxer that looks for its next packet in gigabytes of zeros does not return on its
//! own; each of its reads is where the deadline and the cancellation end it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use symphonia::core::io::MediaSource;

use crate::call::Call;
use crate::error::{Error, Result, Stage};
use crate::sync::Mutex;

/// Most bytes read from one piece of audio to the next. Far more than a packet has, or a picture
/// between two, and less than the 16 MiB after which the FLAC demuxer gives up the frame that the
/// zeros follow.
pub(super) const MAX_BYTES: u64 = 15 << 20;
/// Most bytes read while the file is being opened: headers hold large pictures and tables.
const MAX_OPENING_BYTES: u64 = 256 << 20;
/// Time between two looks at the caller's wishes: reads come much more often than a callback wants
/// to be asked.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Most bytes of one read. Between two reads, demuxers look at what they read again and again: at a
/// page of an Ogg file from every place where it may begin.
const MAX_READ: usize = 4096;

/// What the two ends share. Clones are the same.
#[derive(Clone)]
pub(super) struct Leash<'a>(Arc<State<'a>>);

struct State<'a> {
    /// Bytes that may still be read.
    left: AtomicU64,
    /// Whether more was asked for. The data has ended then, whatever is granted later.
    spent: AtomicBool,
    call: Call<'a>,
    /// Share of the audio that was given out, as the bits of an f32.
    fraction: AtomicU32,
    last_look: Mutex<Option<Instant>>,
    /// Whether the data is open: its head has been read for the last time.
    open: AtomicBool,
    ending: Arc<Ending>,
    /// What is wrong with the data behind its end.
    damage: Mutex<Option<String>>,
}

/// What the leashes of one caller share.
#[derive(Default)]
struct Ending {
    /// Whether the caller wants no more. The data has ended then.
    unwanted: AtomicBool,
    /// The caller's wish, until it was reported.
    wish: Mutex<Option<Error>>,
}

impl<'a> Leash<'a> {
    /// A leash for a file that is being opened on behalf of the caller of `call`.
    pub(super) fn new(call: &Call<'a>) -> Self {
        Self::with_ending(call, Arc::default())
    }

    /// A leash for the same file, opened once more on behalf of the same caller: what is beneath
    /// both may look at either.
    pub(super) fn again<'s>(&self, call: &Call<'s>) -> Leash<'s> {
        Leash::with_ending(call, Arc::clone(&self.0.ending))
    }

    /// The same without reports of progress, for reads whose share of the audio is not known.
    pub(super) fn silent(&self) -> Self {
        self.again(&self.0.call.without_progress())
    }

    fn with_ending(call: &Call<'a>, ending: Arc<Ending>) -> Self {
        Self(Arc::new(State {
            left: AtomicU64::new(MAX_OPENING_BYTES),
            spent: AtomicBool::new(false),
            call: *call,
            fraction: AtomicU32::new(0),
            last_look: Mutex::new(None),
            open: AtomicBool::new(false),
            ending,
            damage: Mutex::new(None),
        }))
    }

    /// Notes that the file is open. Where opening it reached the limit, it may still hold audio:
    /// demuxers look ahead to find out the length.
    pub(super) fn opened(&self) {
        self.0.spent.store(false, Relaxed);
        self.0.open.store(true, Relaxed);
        self.grant();
    }

    /// Whether the file is open.
    pub(super) fn is_open(&self) -> bool {
        self.0.open.load(Relaxed)
    }

    /// Starts the count anew.
    pub(super) fn grant(&self) {
        self.0.left.store(MAX_BYTES, Relaxed);
    }

    /// Whether the data was ended because the limit was reached.
    pub(super) fn is_spent(&self) -> bool {
        self.0.spent.load(Relaxed)
    }

    /// Notes the share of the audio that was given out, which progress callbacks get.
    pub(super) fn set_fraction(&self, fraction: f32) {
        self.0.fraction.store(fraction.to_bits(), Relaxed);
    }

    /// Ends the data for good.
    pub(super) fn end_damaged(&self, reason: String) {
        self.0.damage.lock().get_or_insert(reason);
    }

    /// What is wrong with the data behind its end.
    pub(super) fn damage(&self) -> Option<String> {
        self.0.damage.lock().clone()
    }

    /// Fails once the caller wants no more. What it wants is looked at every few milliseconds.
    pub(super) fn look(&self) -> Result<()> {
        self.look_or_end().map_err(|_| self.wish().unwrap_or(Error::Cancelled { stage: Stage::Analysis }))
    }

    /// Why the caller wants no more, once.
    pub(super) fn wish(&self) -> Option<Error> {
        self.0.ending.wish.lock().take()
    }

    /// Fails, again and again, once the caller wants no more.
    pub(super) fn look_or_end(&self) -> io::Result<()> {
        let state = &*self.0;
        if !state.ending.unwanted.load(Relaxed) {
            let now = Instant::now();
            let mut last = state.last_look.lock();
            if last.is_some_and(|last| now.duration_since(last) < LOOK_EVERY) {
                return Ok(());
            }
            *last = Some(now);
            drop(last);
            let fraction = f32::from_bits(state.fraction.load(Relaxed));
            let Err(wish) = state.call.check(Stage::Analysis, fraction) else { return Ok(()) };
            state.ending.unwanted.store(true, Relaxed);
            *state.ending.wish.lock() = Some(wish);
        }
        // Not `Interrupted`, after which readers try again.
        Err(io::Error::other("the caller wants no more"))
    }

    /// How many of `wanted` bytes may be read.
    fn allow(&self, wanted: usize) -> usize {
        let left = usize::try_from(self.0.left.load(Relaxed)).unwrap_or(usize::MAX);
        if left == 0 && wanted > 0 {
            self.0.spent.store(true, Relaxed);
        }
        if self.is_spent() { 0 } else { wanted.min(left).min(MAX_READ) }
    }

    fn count(&self, bytes: usize) {
        let left = self.0.left.load(Relaxed);
        self.0.left.store(left.saturating_sub(bytes as u64), Relaxed);
    }
}

/// A source that reads as ended where its leash does.
pub(super) struct Leashed<'a, S> {
    source: S,
    leash: Leash<'a>,
}

impl<'a, S> Leashed<'a, S> {
    pub(super) fn new(source: S, leash: Leash<'a>) -> Self {
        Self { source, leash }
    }
}

impl<S: Read> Read for Leashed<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.leash.look_or_end()?;
        let allowed = self.leash.allow(buf.len());
        let bytes = self.source.read(buf.get_mut(..allowed).unwrap_or_default())?;
        self.leash.count(bytes);
        Ok(bytes)
    }
}

impl<S: Seek> Seek for Leashed<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.leash.look_or_end()?;
        self.source.seek(to)
    }
}

impl<S: MediaSource> MediaSource for Leashed<'_, S> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Cancel;

    #[test]
    fn ends_the_data_for_good_after_the_limit_but_opening_has_its_own() {
        let leash = Leash::new(&Call::none());
        let mut source = Leashed::new(io::repeat(0), leash.clone());
        let mut buf = vec![0; 1 << 20];
        let per_block = buf.len() / MAX_READ;
        let mut read_blocks =
            |count: usize| -> usize { (0..count * per_block).map(|_| source.read(&mut buf).unwrap()).sum() };
        assert_eq!(read_blocks(300), 256 << 20);
        assert!(leash.is_spent());
        leash.opened();
        assert_eq!(read_blocks(15), 15 << 20);
        assert!(!leash.is_spent());
        leash.grant();
        assert_eq!(read_blocks(20), 15 << 20);
        assert!(leash.is_spent());
        leash.grant();
        assert_eq!(read_blocks(1), 0);
    }

    #[test]
    fn reads_and_seeks_fail_for_good_once_the_caller_wants_no_more() {
        let cancel = Cancel::new();
        let call = Call::none().with_cancel(&cancel);
        let leash = Leash::new(&call);
        let mut source = Leashed::new(io::Cursor::new([0; 100]), leash.clone());
        assert_eq!(source.read(&mut [0; 10]).unwrap(), 10);
        cancel.set();
        std::thread::sleep(LOOK_EVERY);
        for _ in 0..3 {
            assert!(source.read(&mut [0; 10]).is_err() && source.seek(SeekFrom::Start(0)).is_err());
        }
        assert!(matches!(leash.wish(), Some(Error::Cancelled { stage: Stage::Analysis })));
        assert!(leash.wish().is_none() && source.read(&mut [0; 10]).is_err());
    }

    #[test]
    fn the_callback_is_told_the_share_and_not_at_every_read() {
        let reported = Mutex::new(Vec::new());
        let note = |_: Stage, fraction: f32| reported.lock().push(fraction);
        let call = Call::none().with_progress(&note);
        let leash = Leash::new(&call);
        leash.set_fraction(0.25);
        let mut source = Leashed::new(io::repeat(0), leash.clone());
        for _ in 0..1000 {
            source.read_exact(&mut [0; 10]).unwrap();
        }
        let reported = reported.lock();
        assert!(reported.len() < 900 && reported.iter().all(|&fraction| fraction == 0.25), "{reported:?}");
    }
}
