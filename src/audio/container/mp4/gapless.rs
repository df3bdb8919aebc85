//! The comment `iTunSMPB`, in which iTunes and its like state what an encoder of AAC has put around
//! the sound, in files without an edit list. It owns the reading of its text.

/// What an encoder has put around the sound, in samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gapless {
    pub(super) delay: u64,
    pub(super) padding: u64,
    /// Samples of the sound.
    pub(super) length: u64,
}

/// Largest delay that is believed, as other players have it: longer ones are damage.
const MAX_DELAY: u64 = 16_384;

impl Gapless {
    /// Reads the comment: numbers in hexadecimal, of which the second to the fourth count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_ascii_whitespace().skip(1);
        let mut next = || numbers.next().and_then(|word| u64::from_str_radix(word, 16).ok());
        let (delay, padding, length) = (next()?, next()?, next()?);
        (delay > 0 && delay < MAX_DELAY).then_some(Self { delay, padding, length })
    }

    /// Samples from the beginning of the sound to its end, in a track of `frames` samples; `None`
    /// where the comment speaks of another track than this.
    pub(super) fn length_in(&self, frames: u64) -> Option<u64> {
        let all = self.delay.checked_add(self.padding)?.checked_add(self.length)?;
        (self.length > 0 && all == frames).then_some(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_is_read_and_nonsense_is_not() {
        let text = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";
        let gapless = Gapless::parse(text).unwrap();
        assert_eq!(gapless, Gapless { delay: 2_112, padding: 458, length: 4_141_558 });
        assert_eq!(gapless.length_in(2_112 + 458 + 4_141_558), Some(4_141_558));
        assert_eq!(gapless.length_in(2_112), None);
        for text in ["", "0 840", "0 0 0 100", "0 4000 0 100", "0 xyz 0 100"] {
            assert_eq!(Gapless::parse(text), None, "{text}");
        }
        let huge = Gapless::parse("0 840 ffffffffffffffff ffffffffffffffff").unwrap();
        assert_eq!(huge.length_in(u64::MAX), None);
    }
}
