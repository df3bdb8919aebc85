//! Where the frames lie in the audio, and what stands for samples before its start and after its
//! end. A frame starts every 10 ms; all are as long.

/// Samples for each second of the audio, in hertz.
pub(crate) const SAMPLE_RATE: usize = 16_000;
/// Samples from the start of one frame to the next: 10 ms.
pub const STEP_SAMPLES: usize = SAMPLE_RATE / 100;

/// Where frame 0 lies, and how the audio goes on beyond its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    /// Frame 0 starts with the audio; a frame lies inside it as a whole (Kaldi's `snip_edges`).
    Whole,
    /// Frame 0 is centred on half a step; at both ends the audio is mirrored, its last sample
    /// doubled (Kaldi without `snip_edges`).
    Mirrored,
    /// Frame 0 is centred on the start; at both ends the audio is mirrored about its last sample
    /// (`torch.stft`).
    Centred,
}

impl Framing {
    /// Frames of `length` samples each in that much audio.
    pub fn frames(self, samples: usize, length: usize) -> usize {
        match self {
            Framing::Whole => samples.checked_sub(length).map_or(0, |room| 1 + room / STEP_SAMPLES),
            Framing::Mirrored => (samples + STEP_SAMPLES / 2) / STEP_SAMPLES,
            Framing::Centred if samples == 0 => 0,
            Framing::Centred => 1 + samples / STEP_SAMPLES,
        }
    }

    /// The first sample of a frame of `length` samples; less than 0 before the start of the audio.
    pub fn first_sample(self, frame: usize, length: usize) -> isize {
        let centred = (frame * STEP_SAMPLES) as isize - (length / 2) as isize;
        match self {
            Framing::Whole => (frame * STEP_SAMPLES) as isize,
            Framing::Mirrored => centred + (STEP_SAMPLES / 2) as isize,
            Framing::Centred => centred,
        }
    }

    /// The sample of the audio that stands at `position`, any distance outside it. `samples` is
    /// more than 0.
    pub fn folded(self, position: isize, samples: usize) -> usize {
        let last = samples as isize - 1;
        if (0..=last).contains(&position) {
            return position as usize;
        }
        // The mirrored audio repeats itself: there, and back again.
        let (back_at, period) = match self {
            Framing::Mirrored => (2 * last + 1, 2 * last + 2),
            _ => (2 * last, (2 * last).max(1)),
        };
        let place = position.rem_euclid(period);
        place.min(back_at - place) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_frames_is_that_of_the_toolkits() {
        let frames = |framing: Framing| {
            [0, 1, 79, 80, 159, 160, 399, 400, 559, 560, 16_000].map(|samples| framing.frames(samples, 400))
        };
        assert_eq!(frames(Framing::Whole), [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 98]);
        assert_eq!(frames(Framing::Mirrored), [0, 0, 0, 1, 1, 1, 2, 3, 3, 4, 100]);
        assert_eq!(frames(Framing::Centred), [0, 1, 1, 1, 1, 2, 3, 3, 4, 4, 101]);
    }

    #[test]
    fn audio_is_mirrored_as_often_as_it_takes() {
        let around = |framing: Framing, samples: usize| -> Vec<usize> {
            (-5..8).map(|position| framing.folded(position, samples)).collect()
        };
        assert_eq!(around(Framing::Mirrored, 3), [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
        assert_eq!(around(Framing::Centred, 3), [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
        assert_eq!(around(Framing::Mirrored, 1), [0; 13]);
        assert_eq!(around(Framing::Centred, 1), [0; 13]);
    }
}
