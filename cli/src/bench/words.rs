//! How long after it was said speech is reported: first as provisional, then as final.

use std::time::Instant;

use serde::Serialize;
use voiceflow::{Call, LiveSegment, Turn};

use super::percentiles::Spread;
use super::streaming::Bench;
use crate::exit::Failure;
use crate::table::{Align, Table};

/// The start of a turn, in seconds, that counts as its first word.
const WORD_S: f64 = 0.2;

/// Moments of a word; it is reported when segments cover half of them.
const MOMENTS: usize = 20;

/// Time in seconds from one moment of a final segment to the next that counts.
const MOMENT_S: f64 = 0.01;

/// Time in seconds from the end of a word after which it counts as never reported: twice the
/// longest latency.
const GIVE_UP_S: f64 = 10.0;

/// Delays in milliseconds, of audio and of the push that reported.
#[derive(Serialize)]
pub struct Words {
    /// The longest delay declared, in milliseconds: from when a segment ended until it is final.
    pub declared_ms: f64,
    /// First words in the reference in which nobody else talks; `None` without a reference.
    pub count: Option<usize>,
    /// Those of them that were never reported.
    pub unreported: Option<usize>,
    /// From the end of a word to the first segment over it, of any speaker.
    pub word: Option<Spread>,
    /// From the end of a final segment until it was reported.
    pub final_end: Option<Spread>,
    /// From each moment of a final segment until it was reported: a turn is reported at once.
    pub final_moment: Option<Spread>,
}

/// The first word of a turn.
#[derive(Clone, Copy)]
struct Word {
    start_s: f64,
    end_s: f64,
}

impl Word {
    /// Whether segments cover half of it.
    fn is_reported(self, segments: &[LiveSegment]) -> bool {
        let reported = |moment: &usize| {
            let at_s = self.start_s + (*moment as f64 + 0.5) / MOMENTS as f64 * (self.end_s - self.start_s);
            segments.iter().any(|live| (live.segment.start_s..live.segment.end_s).contains(&at_s))
        };
        (0..MOMENTS).filter(reported).count() * 2 >= MOMENTS
    }
}

/// Pushes the recording once; the first words are those of the turns of `reference`.
pub fn measure(bench: &Bench<'_>, reference: Option<&[Turn]>) -> Result<Words, Failure> {
    let stream = bench.stream()?;
    let words = reference.map(first_words);
    let mut waiting = words.clone().unwrap_or_default();
    let mut finals: Vec<LiveSegment> = Vec::new();
    let (mut word_ms, mut end_ms, mut moment_ms) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..bench.recording.chunk_count() {
        let start = Instant::now();
        stream.push_f32(bench.recording.chunk(number), &Call::none())?;
        let now_s = (number + 1) as f64 * bench.recording.chunk_s() + start.elapsed().as_secs_f64();
        let reported = stream.read(usize::MAX);
        for live in reported.iter().filter(|live| live.is_final) {
            end_ms.push((now_s - live.segment.end_s) * 1e3);
            moment_ms.extend(moments(live).map(|at_s| (now_s - at_s) * 1e3));
            finals.push(*live);
        }
        let given_up_s = now_s - GIVE_UP_S;
        finals.retain(|live| live.segment.end_s > given_up_s);
        let segments: Vec<LiveSegment> =
            finals.iter().copied().chain(reported.into_iter().filter(|live| !live.is_final)).collect();
        waiting.retain(|word| {
            let is_reported = (given_up_s..now_s).contains(&word.end_s) && word.is_reported(&segments);
            if is_reported {
                word_ms.push((now_s - word.end_s) * 1e3);
            }
            !is_reported
        });
    }
    Ok(Words {
        declared_ms: stream.latency_s() * 1e3,
        count: words.as_ref().map(Vec::len),
        unreported: words.map(|_| waiting.len()),
        word: Spread::of(word_ms),
        final_end: Spread::of(end_ms),
        final_moment: Spread::of(moment_ms),
    })
}

/// The first word of each turn in which nobody else talks.
fn first_words(turns: &[Turn]) -> Vec<Word> {
    let word = |turn: &Turn| Word { start_s: turn.start_s, end_s: turn.end_s.min(turn.start_s + WORD_S) };
    let alone = |&(index, word): &(usize, Word)| {
        let others = turns.iter().enumerate().filter(|&(other, _)| other != index);
        !others.into_iter().any(|(_, turn)| turn.start_s < word.end_s && turn.end_s > word.start_s)
    };
    turns.iter().map(word).enumerate().filter(alone).map(|(_, word)| word).collect()
}

/// Moments of a segment, from its start on.
fn moments(live: &LiveSegment) -> impl Iterator<Item = f64> + use<> {
    let (start_s, end_s) = (live.segment.start_s, live.segment.end_s);
    (0..).map(move |moment| start_s + f64::from(moment) * MOMENT_S).take_while(move |&at_s| at_s < end_s)
}

impl Words {
    /// As a table.
    pub fn table(&self) -> String {
        let mut columns = vec![("", Align::Left)];
        columns.extend(["P50 ms", "P95 ms", "P99 ms", "max ms"].map(|title| (title, Align::Right)));
        let mut table = Table::new(&columns);
        let rows = [
            ("first label of a word", self.word),
            ("end of a segment, final", self.final_end),
            ("moment of a segment, final", self.final_moment),
        ];
        for (name, spread) in rows {
            if let Some(spread) = spread {
                table.row([name.to_owned()].into_iter().chain(spread.cells(0)));
            }
        }
        let mut text = table.render();
        text.push_str(&format!("declared: {:.0} ms from the end of a segment", self.declared_ms));
        if let (Some(count), Some(unreported)) = (self.count, self.unreported) {
            text.push_str(&format!("; {unreported} of {count} words never reported"));
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voiceflow::Segment;

    fn live(start_s: f64, end_s: f64) -> LiveSegment {
        let segment = Segment { start_s, end_s, speaker: 0, confidence: 1.0, overlap: false };
        LiveSegment { segment, is_final: false }
    }

    #[test]
    fn a_word_is_reported_by_half_of_it() {
        let word = Word { start_s: 1.0, end_s: 1.2 };
        assert!(
            !word.is_reported(&[])
                && !word.is_reported(&[live(1.12, 3.0)])
                && !word.is_reported(&[live(0.0, 1.0)])
        );
        assert!(
            word.is_reported(&[live(1.09, 3.0)]) && word.is_reported(&[live(0.0, 1.06), live(1.14, 1.3)])
        );
    }

    #[test]
    fn words_that_others_talk_in_do_not_count() {
        let turn = |start_s: f64, end_s: f64| Turn { start_s, end_s, speaker: "a".to_owned() };
        let words = first_words(&[turn(0.0, 0.1), turn(1.0, 3.0), turn(2.0, 4.0), turn(4.0, 5.0)]);
        let spans: Vec<(f64, f64)> = words.iter().map(|word| (word.start_s, word.end_s)).collect();
        assert_eq!(spans, [(0.0, 0.1), (1.0, 1.2), (4.0, 4.2)]);
    }
}
