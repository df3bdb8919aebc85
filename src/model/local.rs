//! The local diarizer: who speaks when, and with which voice, within each window of a recording.
//! Everything after it cannot tell which implementation it was: one joint network, or a
//! segmentation and an embedding network.

use super::contract::ModelInfo;
use super::stretch::Stretch;
use super::tuning::Tuning;
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::clustering::Vbx;
use crate::diarize::windows::WindowGrid;
use crate::error::Result;

/// Finds the local speakers of windows. Any thread may use it, concurrently.
pub trait LocalDiarizer: std::fmt::Debug + Send + Sync {
    /// What it says of itself, and where it runs.
    fn info(&self) -> &ModelInfo;

    /// What it was tuned to.
    fn tuning(&self) -> &Tuning;

    /// What VBx needs to know of its voices; `None` where that is not known.
    fn vbx(&self) -> Option<&Vbx> {
        None
    }

    /// Windows of `grid` that it takes best in one go where a run of its network takes at most
    /// `batch`.
    fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize;

    /// Whether it takes windows shorter than its own.
    fn takes_short_windows(&self) -> bool;

    /// Run slots that its networks have made, of the one with the most.
    fn slots(&self) -> usize {
        1
    }

    /// Makes run slots until there are `slots`, before it is used.
    ///
    /// # Errors
    /// Those of opening a model.
    fn warm(&self, _slots: usize, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }

    /// The local speakers of each window of `stretch`, in its order; the network is given at most
    /// `batch` windows at once.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], [`crate::Error::Deadline`], [`crate::Error::Runtime`],
    /// [`crate::Error::Model`].
    fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>>;
}
