//! Which pieces of solo speech are embedded, so that windows which overlap share them. Where the
//! embedding network cannot be split at its pooling, a crop costs as much as its speech is long,
//! and each second of speech lies in six windows of 10 s. The last layers of such a network are
//! linear in the mean and the deviation of its frames: the mean of the embeddings of pieces,
//! weighted by their lengths, is close to the embedding of the whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ndarray::Array1;

use crate::error::Result;
use crate::memory;

/// Share of the rows of two pieces that both have from which one stands for both.
const ALIKE: f64 = 0.8;

/// The rows of frames of one crop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CropRows {
    /// Number of the crop.
    pub(super) crop: usize,
    /// Its rows, ascending.
    pub(super) rows: Vec<usize>,
    /// The rows of its window.
    pub(super) window: Range<usize>,
}

/// A piece that a crop is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    /// Number of the crop.
    pub(super) crop: usize,
    /// Number of the piece.
    pub(super) piece: usize,
    /// Rows of the crop that the piece stands for.
    pub(super) rows: usize,
}

/// What is embedded.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pieces {
    /// The rows of each piece, ascending.
    pub(super) rows: Vec<Vec<usize>>,
    /// What the crops are made of; those of one crop need not follow each other.
    pub(super) parts: Vec<Part>,
}

impl Pieces {
    /// Each crop is a piece of its own.
    pub(super) fn whole(crops: Vec<CropRows>) -> Result<Self> {
        let mut pieces = Self::default();
        for CropRows { crop, rows, .. } in crops {
            pieces.add(crop, rows.len(), Some(rows), 0)?;
        }
        Ok(pieces)
    }

    /// Crops are cut, all at the same rows, into pieces that span `longest` rows at most; pieces of
    /// different crops that are alike are one. A part of fewer than `least` rows is left out where
    /// its crop has a longer one.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn shared(crops: &[CropRows], longest: usize, least: usize) -> Result<Self> {
        let cuts = cuts(crops, longest.max(1))?;
        let mut cut = memory::with_capacity("pieces", crops.len())?;
        for CropRows { crop, rows, window } in crops {
            let number = |row: usize| cuts.partition_point(|&cut| cut <= row);
            for rows in rows.chunk_by(|&a, &b| number(a) == number(b)) {
                let place = rows.first().map_or(0, |&row| number(row));
                memory::push("pieces", &mut cut, (place, *crop, rows, window))?;
            }
        }
        // Those of the most rows stand for the others.
        cut.sort_unstable_by_key(|&(place, crop, rows, _)| (place, Reverse(rows.len()), crop));
        let mut pieces = Self::default();
        for same in cut.chunk_by(|(a, ..), (b, ..)| a == b) {
            let first = pieces.rows.len();
            for (_, crop, rows, window) in same {
                let mut alike = pieces.rows.iter().skip(first);
                let found = alike.position(|piece| are_alike(rows, piece, window));
                let new = found.is_none().then(|| memory::copied("pieces", rows)).transpose()?;
                pieces.add(*crop, rows.len(), new, found.map_or(0, |found| first + found))?;
            }
        }
        pieces.without_short(least);
        Ok(pieces)
    }

    /// Adds a part of a crop: the `new` piece, or that with the number `known`.
    fn add(&mut self, crop: usize, rows: usize, new: Option<Vec<usize>>, known: usize) -> Result<()> {
        let piece = if new.is_some() { self.rows.len() } else { known };
        if let Some(new) = new {
            memory::push("pieces", &mut self.rows, new)?;
        }
        memory::push("pieces", &mut self.parts, Part { crop, piece, rows })
    }

    /// Leaves out the parts with pieces of fewer than `least` rows of crops that have a longer one.
    /// What no part is left of has no rows.
    fn without_short(&mut self, least: usize) {
        let length = |part: &Part| self.rows.get(part.piece).map_or(0, Vec::len);
        let mut longest = BTreeMap::new();
        for part in &self.parts {
            let most = longest.entry(part.crop).or_insert(0);
            *most = length(part).max(*most);
        }
        let kept = |part: &Part| length(part) >= least.min(longest.get(&part.crop).copied().unwrap_or(0));
        let parts: Vec<Part> = self.parts.iter().copied().filter(kept).collect();
        let used: BTreeSet<usize> = parts.iter().map(|part| part.piece).collect();
        for (piece, rows) in self.rows.iter_mut().enumerate() {
            if !used.contains(&piece) {
                rows.clear();
            }
        }
        self.parts = parts;
    }
}

/// The mean of the embeddings of each crop's parts, weighted by their rows; `None` where none has
/// one.
pub(super) fn means(
    parts: &[Part],
    found: &[Option<Array1<f32>>],
    crops: usize,
) -> Result<Vec<Option<Array1<f32>>>> {
    let embedding = |part: &Part| found.get(part.piece).and_then(Option::as_ref);
    let mut totals = memory::filled("voices", crops, 0_usize)?;
    for part in parts.iter().filter(|part| embedding(part).is_some()) {
        totals[part.crop] += part.rows;
    }
    let mut voices: Vec<Option<Array1<f32>>> = memory::filled("voices", crops, None)?;
    for part in parts {
        let Some(piece) = embedding(part) else { continue };
        let share = part.rows as f32 / totals[part.crop] as f32;
        match &mut voices[part.crop] {
            Some(voice) => voice.scaled_add(share, piece),
            none => *none = Some(piece * share),
        }
    }
    Ok(voices)
}

/// Whether `piece` may stand for `rows`, of which it has to have most, and little else that
/// `window` has too.
fn are_alike(rows: &[usize], piece: &[usize], window: &Range<usize>) -> bool {
    let both = rows.iter().filter(|row| piece.binary_search(row).is_ok()).count();
    let visible =
        piece.partition_point(|&row| row < window.end) - piece.partition_point(|&row| row < window.start);
    let either = rows.len() + visible - both;
    both as f64 >= ALIKE * either as f64
}

/// The rows before which all crops are cut, ascending: pieces span `longest` rows at most and, but
/// for the first and the last, half of it at least. What is said without a pause is cut as little
/// as can be: short pieces tell less of a voice.
fn cuts(crops: &[CropRows], longest: usize) -> Result<Vec<usize>> {
    let total = crops.iter().filter_map(|crop| crop.rows.last()).max().map_or(0, |last| last + 1);
    // Crops that go on across the cut before each row.
    let mut across = memory::filled("pieces", total + 1, 0_usize)?;
    for pair in crops.iter().flat_map(|crop| crop.rows.windows(2)) {
        if let [before, after] = *pair
            && after == before + 1
        {
            across[after] += 1;
        }
    }
    // The least cost of the cuts up to each row, the last of them there, and where the one before
    // it is. Of two ways that cost the same, the one with fewer cuts is taken.
    let shortest = (longest / 2).max(1);
    let mut best = memory::filled("pieces", total + 1, usize::MAX)?;
    let mut previous = memory::filled("pieces", total + 1, 0)?;
    best[0] = 0;
    for end in 1..=total {
        let nearest = if end == total { end - 1 } else { end.saturating_sub(shortest) };
        let cost = if end == total { 0 } else { 2 * across[end] + 1 };
        for start in end.saturating_sub(longest)..=nearest {
            let sum = best[start].saturating_add(cost);
            if sum < best[end] {
                (best[end], previous[end]) = (sum, start);
            }
        }
    }
    let mut found = Vec::new();
    let mut at = total;
    while at > 0 {
        at = previous[at];
        memory::push("pieces", &mut found, at)?;
    }
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop(crop: usize, rows: impl IntoIterator<Item = usize>, window: Range<usize>) -> CropRows {
        CropRows { crop, rows: rows.into_iter().collect(), window }
    }

    #[test]
    fn what_windows_share_is_one_piece() {
        let crops = [crop(0, 10..50, 0..50), crop(1, 20..70, 20..70), crop(2, 21..70, 20..70)];
        let found = Pieces::shared(&crops, 20, 5).unwrap();
        let embedded: usize = found.rows.iter().map(Vec::len).sum();
        assert_eq!(embedded, 60, "{found:?}");
        for (crop, rows) in [(0, 40), (1, 50), (2, 49)] {
            let parts = found.parts.iter().filter(|part| part.crop == crop);
            assert_eq!(parts.map(|part| part.rows).sum::<usize>(), rows, "{found:?}");
        }
    }

    #[test]
    fn two_who_talk_at_once_share_nothing() {
        let crops = [crop(0, 0..20, 0..40), crop(1, 10..40, 0..40)];
        let found = Pieces::shared(&crops, 40, 1).unwrap();
        assert_eq!(found.rows, [(10..40).collect::<Vec<_>>(), (0..20).collect()]);
    }

    #[test]
    fn a_piece_of_which_a_window_sees_the_end_stands_for_it() {
        let crops = [crop(0, 0..30, 0..100), crop(1, 25..30, 25..125)];
        let found = Pieces::shared(&crops, 40, 1).unwrap();
        assert_eq!(found.rows, [(0..30).collect::<Vec<_>>()]);
        assert_eq!(found.parts[1], Part { crop: 1, piece: 0, rows: 5 });
    }

    #[test]
    fn a_crop_has_the_mean_of_its_parts_by_their_lengths() {
        let found = [Some(ndarray::array![1.0, 0.0]), Some(ndarray::array![0.0, 2.0]), None];
        let part = |crop, piece, rows| Part { crop, piece, rows };
        let parts = [part(0, 0, 30), part(1, 1, 20), part(0, 1, 10), part(1, 2, 50), part(2, 2, 5)];
        let voices = means(&parts, &found, 4).unwrap();
        let expected = [Some(ndarray::array![0.75, 0.5]), Some(ndarray::array![0.0, 2.0]), None, None];
        assert_eq!(voices, expected);
    }

    #[test]
    fn crops_are_cut_where_people_pause() {
        let rows = || (0..13).chain(15..34).chain(36..50);
        assert_eq!(cuts(&[crop(0, rows(), 0..50)], 20).unwrap(), [0, 14, 34]);
        assert_eq!(cuts(&[crop(0, 0..50, 0..50)], 20).unwrap().len(), 3);
        assert_eq!(cuts(&[crop(0, 3..4, 0..50)], 20).unwrap(), [0]);
        assert!(cuts(&[], 20).unwrap().is_empty());
    }

    #[test]
    fn a_short_part_is_left_out_beside_a_longer_one_only() {
        let crops = [crop(0, (0..18).chain(38..40), 0..40), crop(1, 38..40, 20..60)];
        let alone = Pieces::shared(&crops[1..], 20, 5).unwrap();
        assert_eq!((alone.rows.len(), alone.parts.len()), (1, 1));
        let found = Pieces::shared(&crops, 20, 5).unwrap();
        assert_eq!(found.parts, [Part { crop: 0, piece: 0, rows: 18 }, Part { crop: 1, piece: 1, rows: 2 }]);
        let unused = Pieces::shared(&crops[..1], 20, 5).unwrap();
        assert_eq!(unused.rows, [(0..18).collect::<Vec<_>>(), Vec::new()]);
    }
}
