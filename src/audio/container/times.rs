//! Tables of sample times (`stts`, ISO/IEC 14496-12, 8.6.1.2) that are too long for a demuxer that
//! walks through them for every packet. A long one is shown to it shorter: samples that follow each
//! other at nearly the same distance get the same distance, and the table keeps its length in time.
//! It owns how much the times may differ from the file's.

/// Most entries of all tables of a file. Walking through so many takes 10 µs, less than a packet
/// takes to be decoded.
pub(super) const MAX_TIMES: usize = 20_000;
/// Most bytes of a table that is shortened: 8 million entries.
pub(super) const MAX_TABLE_BYTES: u64 = 64 << 20;
/// Bytes in front of the entries: version, flags, and the number of entries.
const HEAD: usize = 8;

/// A number of samples and the ticks from each to the next.
type Entry = (u32, u32);

/// The content of a table of at most `most` entries in the place of `content`, whose track has
/// `timescale` ticks a second; `None` where it is no longer than that.
pub(super) fn shortened(content: &[u8], timescale: u32, most: usize) -> Option<Vec<u8>> {
    let (head, entries) = content.split_at_checked(HEAD)?;
    let declared = u32::from_be_bytes(*head.last_chunk()?) as usize;
    let entries = || {
        let pairs = entries.chunks_exact(8).take(declared);
        pairs.filter_map(|pair| Some((word(pair.first_chunk()?), word(pair.last_chunk()?))))
    };
    if entries().count() <= most {
        return None;
    }
    // At first what jitters by 2 ms within a second; twice as much until the table is short enough.
    let mut merged = Vec::new();
    for doublings in 0..48 {
        let ticks = u64::from(timescale.max(500)) << doublings;
        merged.clear();
        merge(entries(), ticks, ticks / 500, most, &mut merged);
        if merged.len() <= most {
            break;
        }
    }
    // Beyond it are only tables whose samples cannot be counted in 32 bits.
    merged.truncate(most);
    let mut table = head.first_chunk::<4>()?.to_vec();
    table.extend(u32::try_from(merged.len()).ok()?.to_be_bytes());
    for (samples, ticks) in merged {
        table.extend(samples.to_be_bytes());
        table.extend(ticks.to_be_bytes());
    }
    Some(table)
}

fn word(bytes: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*bytes)
}

/// Joins entries that follow each other, up to `longest` ticks and where their distances differ by
/// at most `jitter` ticks, into `merged`, which gets a few entries more than `most` where there are
/// too many.
fn merge(
    entries: impl Iterator<Item = Entry>,
    longest: u64,
    jitter: u64,
    most: usize,
    merged: &mut Vec<Entry>,
) {
    let mut block: Option<Block> = None;
    for (samples, ticks) in entries.filter(|(samples, _)| *samples > 0) {
        match block.as_mut().and_then(|block| block.with(samples, ticks, longest, jitter)) {
            Some(larger) => block = Some(larger),
            None => {
                block.into_iter().for_each(|block| block.write(merged));
                block = Some(Block {
                    samples,
                    ticks: u64::from(samples) * u64::from(ticks),
                    least: ticks,
                    most: ticks,
                });
            }
        }
        if merged.len() > most {
            return;
        }
    }
    block.into_iter().for_each(|block| block.write(merged));
}

/// Entries that become one or two.
#[derive(Clone, Copy)]
struct Block {
    samples: u32,
    ticks: u64,
    least: u32,
    most: u32,
}

impl Block {
    /// The block with another entry, where that belongs to it.
    fn with(&self, samples: u32, ticks: u32, longest: u64, jitter: u64) -> Option<Self> {
        let all = Self {
            samples: self.samples.checked_add(samples)?,
            ticks: self.ticks.checked_add(u64::from(samples) * u64::from(ticks))?,
            least: self.least.min(ticks),
            most: self.most.max(ticks),
        };
        let equal = all.least == all.most;
        (equal || all.ticks <= longest && u64::from(all.most - all.least) <= jitter).then_some(all)
    }

    /// Adds its entries: of distances that differ by one tick, so that it keeps its length.
    fn write(self, merged: &mut Vec<Entry>) {
        let samples = u64::from(self.samples.max(1));
        let (ticks, longer) = (self.ticks / samples, self.ticks % samples);
        // No average is more than the most, and no remainder more than the samples.
        let [ticks, longer] = [ticks, longer].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        merged.extend((longer > 0).then(|| (longer, ticks.saturating_add(1))));
        merged.push((self.samples - longer, ticks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[Entry]) -> Vec<u8> {
        let words = entries.iter().flat_map(|(samples, ticks)| [*samples, *ticks]);
        let count = entries.len() as u32;
        [0, count].into_iter().chain(words).flat_map(u32::to_be_bytes).collect()
    }

    fn entries(table: &[u8]) -> Vec<Entry> {
        let words: Vec<u32> =
            table.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words[1] as usize * 2 + 2, words.len());
        words[2..].chunks(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// When each sample starts.
    fn times(entries: &[Entry]) -> Vec<u64> {
        let each = entries.iter().flat_map(|(samples, ticks)| std::iter::repeat_n(*ticks, *samples as usize));
        each.scan(0, |at, ticks| {
            let start = *at;
            *at += u64::from(ticks);
            Some(start)
        })
        .collect()
    }

    #[test]
    fn jitter_is_evened_and_a_pause_stays_where_it_is() {
        // Three hours of frames of 1,024 samples at 48 kHz whose times jitter, with a pause of 10 s
        // in the middle.
        let mut long: Vec<Entry> = (0..506_250).map(|i| (1, 1_024 + i * 7 % 61 - 30)).collect();
        long[253_000].1 += 480_000;
        let short = entries(&shortened(&table(&long), 48_000, MAX_TIMES).unwrap());
        assert!(short.len() <= MAX_TIMES, "{}", short.len());
        let (before, after) = (times(&long), times(&short));
        assert_eq!(before.len(), after.len());
        let furthest = before.iter().zip(&after).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(furthest < 480, "{furthest} ticks, expected less than 10 ms");
    }

    #[test]
    fn any_long_table_becomes_short_and_keeps_its_samples_and_length() {
        let long: Vec<Entry> = (0..100_000).map(|i| (1 + i % 3, i * 7_919 % 100_000)).collect();
        let short = entries(&shortened(&table(&long), 1_000, 100).unwrap());
        assert!(short.len() <= 100, "{}", short.len());
        let sum = |entries: &[Entry]| {
            let ticks = entries.iter().map(|(samples, ticks)| u64::from(*samples) * u64::from(*ticks));
            (entries.iter().map(|(samples, _)| u64::from(*samples)).sum::<u64>(), ticks.sum::<u64>())
        };
        assert_eq!(sum(&long), sum(&short));
        // Too many samples to count.
        let endless = table(&vec![(u32::MAX, u32::MAX); 1_000]);
        assert_eq!(entries(&shortened(&endless, 1, 10).unwrap()).len(), 10);
    }

    #[test]
    fn a_short_table_is_left_alone() {
        let short = table(&[(5, 1_024), (1, 300)]);
        assert_eq!(shortened(&short, 48_000, 2), None);
        // It declares more entries than it has.
        let mut damaged = short.clone();
        damaged[4] = 0xff;
        assert_eq!(shortened(&damaged, 48_000, 2), None);
        assert_eq!(shortened(&short[..7], 48_000, 0), None);
    }
}
