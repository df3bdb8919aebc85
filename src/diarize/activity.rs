//! Soft activity to yes or no, frame by frame.

use ndarray::ArrayView1;

use super::LocalWindow;

/// Activity above which a local speaker starts to talk, and below which they stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hysteresis {
    /// A silent speaker starts to talk at this probability, 0 to 1.
    pub onset: f32,
    /// A talking speaker stops below this probability, 0 to 1.
    pub offset: f32,
}

impl Hysteresis {
    /// Marks the frames in which the speaker talks. As `Binarize` of pyannote.audio does.
    pub fn apply(&self, activity: ArrayView1<'_, f32>) -> Vec<bool> {
        let mut talking = false;
        activity
            .iter()
            .map(|&probability| {
                talking = if talking { probability >= self.offset } else { probability >= self.onset };
                talking
            })
            .collect()
    }

    /// For each local speaker of a window, the frames in which they talk.
    pub fn talking(&self, window: &LocalWindow) -> Vec<Vec<bool>> {
        (0..window.speakers()).map(|local| self.apply(window.speaker_activity(local))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talking_speaker_stops_only_below_the_offset() {
        let activity = ndarray::array![0.4, 0.6, 0.4, 0.2, 0.4, 0.5];
        let talking = Hysteresis { onset: 0.5, offset: 0.3 }.apply(activity.view());
        assert_eq!(talking, [false, true, true, false, false, true]);
    }
}
