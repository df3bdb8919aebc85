//! The edit list of an MP4 track (ISO/IEC 14496-12, 8.6.6): the pieces of the track that are
//! played, one behind the other. It owns what each entry means; who plays the pieces is the loop
//! over the packets.

use std::collections::VecDeque;

/// Most edits of a track that are followed. Editors write one for each cut.
const MAX_EDITS: usize = 100;
/// The rate of an edit that is played as it was recorded: 1 in 16.16 bits.
const NORMAL_RATE: u32 = 1 << 16;

/// A piece of what is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::audio) enum Piece {
    /// Nothing, for so many seconds.
    Silence(f64),
    /// The track from `start_s` on, for `length_s` seconds or to its end.
    Media { start_s: f64, length_s: Option<f64> },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Edit {
    /// In ticks of the track; `None` where nothing is played.
    start: Option<u64>,
    /// In ticks of the movie.
    length: u64,
}

/// The edits of a track, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Edits {
    list: Vec<Edit>,
    /// What about them cannot be followed.
    fault: Option<&'static str>,
}

impl Edits {
    /// Whether more of them are kept.
    pub(super) fn has_room(&mut self) -> bool {
        if self.list.len() < MAX_EDITS {
            return true;
        }
        self.fault = Some("it has more than 100 edits, of which the first 100 are played");
        false
    }

    /// Appends an edit as the list has it.
    pub(super) fn push(&mut self, start: i64, length: u64, rate: u32) {
        let start = u64::try_from(start).ok();
        if start.is_some() && rate != NORMAL_RATE {
            self.fault = Some("a part in slow or fast motion is played at its own speed");
        }
        self.list.push(Edit { start, length });
    }

    /// What of the list is not followed, as the other half of a sentence about it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let nothing = !self.list.is_empty() && self.list.iter().all(|edit| edit.start.is_none());
        self.fault.or(nothing.then_some("it has no part to play, so all is played"))
    }

    /// Seconds by which the track begins later than the movie, of `movie` ticks a second.
    pub(super) fn late_s(&self, movie: u32) -> f64 {
        let empty = self.list.iter().take_while(|edit| edit.start.is_none());
        let ticks = empty.fold(0, |sum: u64, edit| sum.saturating_add(edit.length));
        ticks as f64 / f64::from(movie.max(1))
    }

    /// What is played of a track of `track` ticks a second, from where it begins on; none where
    /// nothing is said of that.
    pub(super) fn pieces(&self, track: u32, movie: u32) -> VecDeque<Piece> {
        if track == 0 {
            return VecDeque::new();
        }
        let played = self.list.iter().skip_while(|edit| edit.start.is_none());
        let piece = |edit: &Edit| {
            let length_s = edit.length as f64 / f64::from(movie.max(1));
            match edit.start {
                None => Piece::Silence(if movie > 0 { length_s } else { 0.0 }),
                Some(start) => Piece::Media {
                    start_s: start as f64 / f64::from(track),
                    // Fragmented files leave the length open by zero.
                    length_s: (edit.length > 0 && movie > 0).then_some(length_s),
                },
            }
        };
        played.map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(list: &[(i64, u64, u32)]) -> Edits {
        let mut edits = Edits::default();
        for &(start, length, rate) in list {
            if edits.has_room() {
                edits.push(start, length, rate);
            }
        }
        edits
    }

    #[test]
    fn pieces_follow_each_other_behind_the_late_start() {
        let media = |start_s, length_s| Piece::Media { start_s, length_s };
        let some = edits(&[
            (-1, 500, NORMAL_RATE),
            (-1, 250, 0),
            (2_000, 3_000, NORMAL_RATE),
            (-1, 100, NORMAL_RATE),
            (0, 0, NORMAL_RATE),
        ]);
        assert_eq!((some.late_s(1_000), some.fault()), (0.75, None));
        let expected = [media(1.0, Some(3.0)), Piece::Silence(0.1), media(0.0, None)];
        assert_eq!(some.pieces(2_000, 1_000), expected);
        assert_eq!(some.pieces(0, 1_000), []);
        assert_eq!(Edits::default().pieces(1, 1), []);
    }

    #[test]
    fn what_is_not_followed_is_said() {
        assert!(edits(&[(0, 100, NORMAL_RATE / 2)]).fault().unwrap().contains("speed"));
        assert!(edits(&[(-1, 100, NORMAL_RATE)]).fault().unwrap().contains("no part"));
        let many = edits(&vec![(0, 10, NORMAL_RATE); 101]);
        assert!(many.fault().unwrap().contains("more than 100"));
        assert_eq!(many.pieces(1, 1).len(), 100);
    }
}
