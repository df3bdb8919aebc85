//! A track is one local speaker of one window who talks: the unit that is clustered.

use ndarray::ArrayView1;

use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;

/// One local speaker of one window.
#[derive(Clone, Debug)]
pub struct Track<'a> {
    /// Index of the window.
    pub window: usize,
    /// Index of the speaker in the window.
    pub local: usize,
    /// Frames in which the speaker talks alone.
    pub solo_frames: usize,
    /// Voice, unit length.
    pub embedding: ArrayView1<'a, f32>,
}

/// The tracks of all windows, in the order of windows and local speakers. A local speaker who never reaches
/// the onset, or who has no voice embedding, makes no track.
pub fn tracks_of(windows: &[LocalWindow], hysteresis: Hysteresis) -> Vec<Track<'_>> {
    let mut tracks = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        let talking: Vec<Vec<bool>> =
            (0..window.speakers()).map(|local| hysteresis.apply(window.speaker_activity(local))).collect();
        for (local, own) in talking.iter().enumerate() {
            if !own.contains(&true) || !window.has_voice(local) {
                continue;
            }
            let alone = |frame: usize| talking.iter().filter(|other| other[frame]).count() == 1;
            let solo_frames = own.iter().enumerate().filter(|&(frame, &talks)| talks && alone(frame)).count();
            tracks.push(Track { window: index, local, solo_frames, embedding: window.embedding.row(local) });
        }
    }
    tracks
}
