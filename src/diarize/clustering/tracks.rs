//! A track is one local speaker of one window who talks: the unit that is clustered.

use ndarray::ArrayView1;

use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::error::{Result, Stage};
use crate::memory;

/// Windows between two looks at deadline and cancellation.
const CHECK_EVERY: usize = 256;

/// One local speaker of one window.
#[derive(Clone, Debug)]
pub struct Track<'a> {
    /// Index of the window.
    pub window: usize,
    /// Index of the speaker in the window.
    pub local: usize,
    /// Frames in which the speaker talks alone.
    pub solo_frames: usize,
    /// Voice, of any length.
    pub embedding: ArrayView1<'a, f32>,
    /// Whether the embedding is one, see [`LocalWindow::has_voice`]. A track without a voice is not
    /// clustered; it joins a speaker that no other track of its window has.
    pub has_voice: bool,
}

/// The tracks of all windows, in the order of windows and local speakers. A local speaker who never
/// reaches the onset makes no track.
///
/// # Errors
/// Those of [`Call::check`]; [`Error::Memory`](crate::Error::Memory).
pub fn tracks_of<'a>(
    windows: &'a [LocalWindow],
    hysteresis: Hysteresis,
    call: &Call<'_>,
) -> Result<Vec<Track<'a>>> {
    let mut tracks = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        if index.is_multiple_of(CHECK_EVERY) {
            call.check_wanted(Stage::Clustering)?;
        }
        let talking = hysteresis.talking(window);
        for (local, own) in talking.iter().enumerate() {
            if !own.contains(&true) {
                continue;
            }
            let solo_frames = solo_frames(&talking, local);
            let (embedding, has_voice) = (window.embedding.row(local), window.has_voice(local));
            let track = Track { window: index, local, solo_frames, embedding, has_voice };
            memory::push(super::CLUSTERING, &mut tracks, track)?;
        }
    }
    Ok(tracks)
}

/// Frames in which local speaker `local` talks alone; `talking` has for each local speaker the
/// frames in which they talk.
pub fn solo_frames(talking: &[Vec<bool>], local: usize) -> usize {
    let alone = |frame: usize| talking.iter().filter(|other| other[frame]).count() == 1;
    talking[local].iter().enumerate().filter(|&(frame, &talks)| talks && alone(frame)).count()
}
