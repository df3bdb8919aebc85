//! Where in time the decoded audio has got to, by the packets' timestamps. It owns the decision how
//! much silence makes up for packets that a damaged file has lost; it touches no samples.

use symphonia::core::packet::Packet;

/// Timestamps may run ahead of the audio by this many seconds: decoders hold back up to a block,
/// and recorders jitter.
const TOLERANCE_S: f64 = 0.05;
/// A longer gap in seconds is believed only when a second packet confirms it: it may be a damaged
/// timestamp.
const PLAUSIBLE_S: f64 = 2.0;
/// Most silence in seconds put into one file.
const MAX_TOTAL_S: f64 = 600.0;

/// Time by timestamps against time by decoded frames.
pub(super) struct Timeline {
    /// Seconds per tick of the timestamps, `None` where the container has no times.
    tick_s: Option<f64>,
    /// Timestamp at which the audio begins.
    origin: Option<i64>,
    /// Seconds of audio so far, gaps included.
    position_s: f64,
    /// Whether the last packet showed a gap that is not plausible by itself.
    suspect: bool,
    /// Silence inserted so far.
    filled_s: f64,
}

impl Timeline {
    /// A timeline that begins at the first packet.
    pub(super) fn new(tick_s: Option<f64>) -> Self {
        Self { tick_s, origin: None, position_s: 0.0, suspect: false, filled_s: 0.0 }
    }

    /// Begins anew with the next packet, in ticks of `tick_s`.
    pub(super) fn restart(&mut self, tick_s: Option<f64>) {
        *self = Self { filled_s: self.filled_s, ..Self::new(tick_s) };
    }

    /// Seconds of audio and silence so far; of several streams chained in a file, of the current
    /// one.
    pub(super) fn position_s(&self) -> f64 {
        self.position_s
    }

    /// Seconds by the file's clock at which the audio begins.
    pub(super) fn origin_s(&self) -> f64 {
        self.tick_s.zip(self.origin).map_or(0.0, |(tick_s, origin)| origin as f64 * tick_s)
    }

    /// Seconds of silence that belong in front of `packet`; 0 unless packets are missing before it.
    pub(super) fn gap_before(&mut self, packet: &Packet) -> f64 {
        let Some(tick_s) = self.tick_s else {
            return 0.0;
        };
        let start = packet.pts.get();
        let origin = *self.origin.get_or_insert(start);
        let gap_s = start.saturating_sub(origin) as f64 * tick_s - self.position_s;
        // What the decoder cuts from this packet never becomes audio.
        let cut = i64::try_from(packet.trim_start.get()).unwrap_or(0);
        self.origin = Some(origin.saturating_add(cut));
        let confirmed = std::mem::replace(&mut self.suspect, gap_s > PLAUSIBLE_S);
        let believed = gap_s > TOLERANCE_S && (gap_s <= PLAUSIBLE_S || confirmed);
        if believed { self.fill(gap_s) } else { 0.0 }
    }

    /// Seconds of silence in place of `packet`, which cannot be decoded.
    pub(super) fn length_of(&mut self, packet: &Packet) -> f64 {
        let length_s = self.tick_s.unwrap_or(0.0) * packet.dur.get() as f64;
        self.fill(length_s.min(PLAUSIBLE_S))
    }

    /// Notes that `seconds` of audio or silence were put out.
    pub(super) fn advance(&mut self, seconds: f64) {
        self.position_s += seconds;
    }

    /// Holds `seconds` of silence within the limits.
    pub(super) fn fill(&mut self, seconds: f64) -> f64 {
        let seconds = seconds.min(MAX_TOTAL_S - self.filled_s).max(0.0);
        self.filled_s += seconds;
        seconds
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::units::{Duration, Timestamp};

    use super::*;

    /// A packet of 20 ms in ticks of 1 ms.
    fn packet(start_ms: i64) -> Packet {
        Packet::new(0, Timestamp::new(start_ms), Duration::new(20), Vec::new())
    }

    /// The gaps before packets at these times, each of which is decoded in full.
    fn gaps(starts_ms: &[i64]) -> Vec<i64> {
        let mut timeline = Timeline::new(Some(0.001));
        let gap_ms = |&start_ms: &i64| {
            let gap_s = timeline.gap_before(&packet(start_ms));
            timeline.advance(gap_s + 0.020);
            (gap_s * 1000.0).round() as i64
        };
        starts_ms.iter().map(gap_ms).collect()
    }

    #[test]
    fn missing_packets_are_filled_and_jitter_is_not() {
        assert_eq!(gaps(&[500, 520, 540, 700, 720]), [0, 0, 0, 140, 0]);
        assert_eq!(gaps(&[0, 25, 38, 60, 105, 100]), [0; 6]);
        assert_eq!(gaps(&[0, 20, -500, 60]), [0; 4]);
    }

    #[test]
    fn a_long_gap_needs_a_second_packet_and_has_a_limit() {
        assert_eq!(gaps(&[0, 20, 90_000_000, 60, 80]), [0; 5]);
        assert_eq!(gaps(&[0, 20, 30_000, 30_020, 30_040]), [0, 0, 0, 29_960, 0]);
        assert_eq!(gaps(&[0, 900_000, 900_020, 900_040])[2..], [600_000, 0]);
    }
}
