//! Calls from the library into the host. While one is under way on a thread, that thread may not
//! call back: `guard` refuses it, so that no callback can destroy what is in use below it or wait
//! for itself.

use std::cell::Cell;
use std::ffi::c_void;

/// Gets how far a call is: at least every 50 ms while the call waits or networks run on other
/// threads for it, and between pieces of work otherwise. To end the call from here, set its switch
/// (`vf_cancel_set`).
///
/// - `user_data`: as given with the callback.
/// - `stage`: a number of `vf_stage`; new ones may be added.
/// - `fraction`: how much of the stage is done, 0 to 1.
///
/// Called on the thread that made the call, with no lock of the library held. It must not throw,
/// and must not call functions of this library other than `vf_cancel_set`, `vf_last_error`,
/// `vf_status_str` and the versions: others fail with `VF_E_INVALID_ARGUMENT`, and a destroy does
/// nothing.
pub type vf_progress_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, stage: i32, fraction: f32)>;

/// The stages that a progress callback gets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_stage {
    /// Waiting for a free run slot, or for another call of a stream.
    VF_STAGE_WAITING = 0,
    /// Decoding, resampling and running the network over the windows.
    VF_STAGE_ANALYSIS = 1,
    /// Clustering the voices of all windows.
    VF_STAGE_CLUSTERING = 2,
    /// Putting the windows together into segments.
    VF_STAGE_RECONSTRUCTION = 3,
    /// Loading a model.
    VF_STAGE_LOADING = 4,
}

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a callback.
pub(crate) fn active() -> bool {
    ACTIVE.try_with(Cell::get).unwrap_or(false)
}

/// Runs `call`, a call into the host, with this thread marked.
pub(crate) fn during<T>(call: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ACTIVE.set(self.0);
        }
    }
    let _restore = Restore(ACTIVE.replace(true));
    call()
}

/// A pointer of the host's, handed back to its callback and never looked into.
#[derive(Clone, Copy)]
pub(crate) struct UserData(pub *mut c_void);

// SAFETY: the library never reads through the pointer. The header says on which threads each
// callback is called, and that what the pointer leads to must allow that.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    /// The pointer. A method, so that closures take hold of the whole and not of the bare pointer
    /// in it.
    pub fn get(self) -> *mut c_void {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;

    #[test]
    fn the_stages_of_the_header_are_those_of_the_crate() {
        assert_eq!(vf_stage::VF_STAGE_WAITING as i32, Stage::Waiting as i32);
        assert_eq!(vf_stage::VF_STAGE_ANALYSIS as i32, Stage::Analysis as i32);
        assert_eq!(vf_stage::VF_STAGE_CLUSTERING as i32, Stage::Clustering as i32);
        assert_eq!(vf_stage::VF_STAGE_RECONSTRUCTION as i32, Stage::Reconstruction as i32);
        assert_eq!(vf_stage::VF_STAGE_LOADING as i32, Stage::Loading as i32);
    }

    #[test]
    fn the_mark_is_taken_off_again() {
        assert!(!active());
        assert!(during(active));
        assert!(during(|| during(active) && active()));
        assert!(!active());
    }
}
