//! How long a call goes on between two looks at its caller's wishes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use voiceflow::{Call, Stage};

/// A progress callback that takes the time between its calls.
pub struct Looks(Mutex<State>);

struct State {
    last: Instant,
    longest: Duration,
}

impl Looks {
    /// Does `work` under a call whose looks are timed, and fails at `deadline`, if any. Returns
    /// what it returned, and the longest time between two looks, with those from its start to the
    /// first and from the last to its end.
    pub fn timed<T>(deadline: Option<Duration>, work: impl FnOnce(&Call<'_>) -> T) -> (T, Duration) {
        let state = State { last: Instant::now(), longest: Duration::ZERO };
        let looks = Self(Mutex::new(state));
        let callback = |_: Stage, _: f32| looks.look();
        let result = work(&Call::none().with_progress(&callback).with_deadline(deadline));
        looks.look();
        let state = looks.0.into_inner().unwrap();
        (result, state.longest)
    }

    fn look(&self) {
        let mut state = self.0.lock().unwrap();
        state.longest = state.longest.max(state.last.elapsed());
        state.last = Instant::now();
    }
}
