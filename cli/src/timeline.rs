//! A recording drawn in text: a row for each speaker, darker where they talk more.
//!
//! ```text
//! SPEAKER_00  ██████▓     ▒██████
//! SPEAKER_01        ░█████▓
//!             0:00           0:30
//! ```

use unicode_width::UnicodeWidthStr;
use voiceflow::Diarization;

/// Fewest columns of time, even where the terminal is narrower.
const MIN_COLUMNS: usize = 10;
/// From silence to speech all the time.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// The drawing, at most `width` columns wide; nothing when nobody speaks.
pub fn render(diarization: &Diarization, width: usize) -> String {
    if diarization.speakers.is_empty() || diarization.duration_s <= 0.0 {
        return String::new();
    }
    let label_width = diarization.speakers.iter().map(|speaker| speaker.label.width()).max().unwrap_or(0);
    let columns = width.saturating_sub(label_width + 2).max(MIN_COLUMNS);
    let mut text = String::new();
    for (index, speaker) in diarization.speakers.iter().enumerate() {
        let padding = " ".repeat(label_width - speaker.label.width() + 2);
        let row: String = coverage(diarization, index, columns).into_iter().map(shade).collect();
        text.push_str(format!("{}{padding}{row}", speaker.label).trim_end());
        text.push('\n');
    }
    let end = clock(diarization.duration_s);
    let between = columns.saturating_sub("0:00".len() + end.len()).max(1);
    text.push_str(&format!("{}0:00{}{end}\n", " ".repeat(label_width + 2), " ".repeat(between)));
    text
}

/// The share of each column's time, 0 to 1, in which a speaker talks.
fn coverage(diarization: &Diarization, speaker: usize, columns: usize) -> Vec<f64> {
    let mut shares = vec![0.0; columns];
    let scale = columns as f64 / diarization.duration_s;
    for segment in diarization.segments.iter().filter(|segment| segment.speaker == speaker) {
        let (start, end) = (segment.start_s * scale, segment.end_s * scale);
        // The casts send what is negative to 0.
        let touched =
            shares.iter_mut().enumerate().skip(start as usize).take_while(|(at, _)| (*at as f64) < end);
        for (at, share) in touched {
            let at = at as f64;
            *share += (end.min(at + 1.0) - start.max(at)).max(0.0);
        }
    }
    shares
}

/// Some speech is never drawn as none, and only speech all the time as such.
fn shade(share: f64) -> char {
    const ROUNDING: f64 = 1e-9;
    let level = if share <= ROUNDING {
        0
    } else if share >= 1.0 - ROUNDING {
        4
    } else {
        1 + (share * 3.0) as usize
    };
    SHADES.get(level).copied().unwrap_or(' ')
}

/// `M:SS`, or `H:MM:SS` from an hour on.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voiceflow::{Segment, Speaker};

    #[test]
    fn rows_fill_the_width() {
        let segment =
            |start_s, end_s, speaker| Segment { start_s, end_s, speaker, confidence: 1.0, overlap: false };
        let speaker = |label: &str| Speaker { label: label.into(), speech_s: 0.0, embedding: vec![] };
        let diarization = Diarization {
            segments: vec![segment(0.0, 35.0, 0), segment(35.0, 61.0, 1), segment(80.0, 100.0, 0)],
            speakers: vec![speaker("A"), speaker("BC")],
            duration_s: 100.0,
            ..Diarization::default()
        };
        assert_eq!(render(&diarization, 14), "A   ███▒    ██\nBC     ▒██░\n    0:00  1:40\n");
        assert_eq!(render(&Diarization { duration_s: 5.0, ..Diarization::default() }, 80), "");
    }

    #[test]
    fn clocks() {
        assert_eq!([0.0, 59.6, 3725.0].map(clock), ["0:00", "1:00", "1:02:05"]);
    }
}
