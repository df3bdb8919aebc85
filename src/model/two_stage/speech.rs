//! Which stretches of audio a local speaker's voice is taken from.

use std::ops::Range;

use ndarray::Array2;

use crate::diarize::activity::Hysteresis;

/// Where the frames of a window lie, in samples from the start of the stretch of audio.
#[derive(Clone, Copy, Debug)]
pub(super) struct FramePlaces {
    /// Start of the window.
    pub(super) window: usize,
    /// From the start of the window to the middle of its first frame.
    pub(super) offset: usize,
    /// From one frame to the next.
    pub(super) step: usize,
}

/// The audio of one local speaker.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Crop {
    /// Spans of samples, ascending, none empty.
    pub(super) spans: Vec<Range<usize>>,
    /// The samples of its window that may lie in a span.
    pub(super) window: Range<usize>,
}

impl Crop {
    /// Samples in all spans.
    pub(super) fn samples(&self) -> usize {
        self.spans.iter().map(Range::len).sum()
    }

    /// The indices below `count` whose position, ascending with the index, lies in a span.
    pub(super) fn select(&self, count: usize, position: impl Fn(usize) -> f64) -> Vec<usize> {
        select(&self.spans, count, position)
    }

    /// The indices below `count` whose position, ascending with the index, lies in the window.
    pub(super) fn window_in(&self, count: usize, position: impl Fn(usize) -> f64) -> Range<usize> {
        let inside = select(std::slice::from_ref(&self.window), count, position);
        inside.first().zip(inside.last()).map_or(0..0, |(&first, &last)| first..last + 1)
    }
}

/// The indices below `count` whose position, ascending with the index, lies in one of `spans`,
/// which ascend.
fn select(spans: &[Range<usize>], count: usize, position: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut spans = spans.iter().peekable();
    for index in 0..count {
        let at = position(index);
        while spans.next_if(|span| span.end as f64 <= at).is_some() {}
        match spans.peek() {
            Some(span) if span.start as f64 <= at => chosen.push(index),
            Some(_) => {}
            None => break,
        }
    }
    chosen
}

/// For each local speaker of a window with this activity the audio to take the voice from: what
/// they say alone, or, where that is shorter than `least` samples, all that they say. Empty for a
/// silent one.
pub(super) fn crops(
    activity: &Array2<f32>,
    hysteresis: Hysteresis,
    places: FramePlaces,
    least: usize,
) -> Vec<Crop> {
    let talking: Vec<Vec<bool>> =
        activity.columns().into_iter().map(|column| hysteresis.apply(column)).collect();
    let count = |frame: usize| talking.iter().filter(|own| own[frame]).count();
    talking
        .iter()
        .map(|own| {
            let alone = spans(own.len(), places, |frame| own[frame] && count(frame) == 1);
            let all = spans(own.len(), places, |frame| own[frame]);
            if alone.samples() >= least.min(all.samples()) { alone } else { all }
        })
        .collect()
}

/// The spans of the frames that are `chosen`.
fn spans(frames: usize, places: FramePlaces, chosen: impl Fn(usize) -> bool) -> Crop {
    let start =
        |frame: usize| (places.window + places.offset + frame * places.step).saturating_sub(places.step / 2);
    let mut spans: Vec<Range<usize>> = Vec::new();
    for frame in (0..frames).filter(|&frame| chosen(frame)) {
        match spans.last_mut() {
            Some(last) if last.end == start(frame) => last.end = start(frame + 1),
            _ => spans.push(start(frame)..start(frame + 1)),
        }
    }
    Crop { spans, window: start(0)..start(frames) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: FramePlaces = FramePlaces { window: 1000, offset: 50, step: 100 };
    const HALF: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

    #[test]
    fn a_voice_is_taken_from_what_is_said_alone() {
        let activity = ndarray::array![[0.9, 0.0], [0.9, 0.0], [0.9, 0.8], [0.0, 0.8], [0.9, 0.0]];
        let found = crops(&activity, HALF, PLACES, 100);
        assert_eq!(found[0].spans, [1000..1200, 1400..1500]);
        assert_eq!(found[1].spans, vec![1300..1400]);
    }

    #[test]
    fn where_too_little_is_said_alone_overlap_counts_too() {
        let activity = ndarray::array![[0.9, 0.0], [0.9, 0.8], [0.9, 0.8], [0.0, 0.0]];
        assert_eq!(crops(&activity, HALF, PLACES, 100)[1].spans, vec![1100..1300]);
        assert_eq!(crops(&activity, HALF, PLACES, 200)[0].spans, vec![1000..1300]);
        let silent = crops(&Array2::zeros((4, 2)), HALF, PLACES, 100);
        assert!(silent.iter().all(|crop| crop.spans.is_empty() && crop.window == (1000..1400)));
    }

    #[test]
    fn frames_are_selected_by_their_middle() {
        let crop = Crop { spans: vec![100..200, 350..400], window: 60..500 };
        let middle = |index: usize| index as f64 * 50.0 + 25.0;
        assert_eq!(crop.select(20, middle), [2, 3, 7]);
        assert_eq!((crop.window_in(20, middle), crop.window_in(8, middle)), (1..10, 1..8));
        assert_eq!(Crop::default().select(20, middle), [0usize; 0]);
        assert_eq!(Crop::default().window_in(20, middle), 0..0);
    }
}
