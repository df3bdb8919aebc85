//! The argument by which commands choose among the channels of a recording.

use voiceflow::audio::Channels;

/// What is done with the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// They become one.
    One(Channels),
    /// Each is diarized by itself.
    Separate,
}

/// Reads `--channels`: mix, left, right, a number from 1, or separate.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> Result<Choice, String> {
    match text {
        "mix" => Ok(Choice::One(Channels::Mix)),
        "left" => Ok(Choice::One(Channels::Only(0))),
        "right" => Ok(Choice::One(Channels::Only(1))),
        "separate" => Ok(Choice::Separate),
        number => match number.parse::<u16>() {
            Ok(number @ 1..=32) => Ok(Choice::One(Channels::Only(number - 1))),
            _ => Err("expected mix, left, right, separate, or a number from 1 to 32".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_names_and_numbers_from_one() {
        assert_eq!(parse("mix"), Ok(Choice::One(Channels::Mix)));
        assert_eq!(parse("separate"), Ok(Choice::Separate));
        assert_eq!(parse("right"), parse("2"));
        assert_eq!(parse("1"), Ok(Choice::One(Channels::Only(0))));
        for wrong in ["0", "33", "-1", "both", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
