//! A recording whose edit list plays several pieces of it, one behind the other. It owns the way
//! from one piece to the next. As other players do, a piece behind the first begins with the first
//! packet that starts within it.

use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

use super::super::container::Piece;
use super::{FileSource, frames_of};
use crate::error::Result;
use crate::types::WarningCode;

/// Seconds in front of a piece from which on packets are decoded: what a decoder gives depends on
/// the packets before.
const RUN_UP_S: f64 = 1.0;
/// Times are as exact as this, in seconds.
const EXACT_S: f64 = 1e-6;

impl FileSource<'_> {
    /// Goes on with the next piece; false where there is none.
    pub(super) fn next_piece(&mut self) -> Result<bool> {
        let Some(piece) = self.track.more.pop_front() else {
            return self.end(None);
        };
        self.release(0.0)?;
        match piece {
            Piece::Silence(seconds) => {
                self.trim.keep = None;
                let filled = self.timeline.fill(seconds);
                if filled < seconds {
                    let text = format!(
                        "the edit list has {seconds:.1} s of silence, of which {filled:.1} s are put in: what \
                         follows is earlier"
                    );
                    self.warn(WarningCode::UnfollowedEdit, text);
                }
                self.fill(filled)?;
                self.trim.keep = Some(0);
            }
            Piece::Media { start_s, length_s } => {
                if start_s <= self.heard_s + EXACT_S && !self.rewind() {
                    let text = "the edit list goes back, which this file does not allow";
                    self.warn(WarningCode::UnfollowedEdit, text.to_owned());
                    return self.end(None);
                }
                self.trim.skip = 0;
                self.trim.keep = None;
                self.trim.wanted = Some((start_s, length_s));
                self.timeline.restart(self.track.tick_s);
            }
        }
        Ok(true)
    }

    /// Goes back to the beginning of the file.
    fn rewind(&mut self) -> bool {
        self.container.leash.grant();
        let to = SeekTo::Timestamp { ts: Timestamp::new(0), track_id: self.track.id };
        self.heard_s = f64::NEG_INFINITY;
        self.track.decoder.reset();
        self.container.format.seek(SeekMode::Accurate, to).is_ok()
    }

    /// Whether `packet` lies in front of the piece that is looked for. Notes where it begins, and
    /// where the piece ends that begins with it.
    pub(super) fn is_in_front(&mut self, packet: &Packet) -> bool {
        let Some(tick_s) = self.track.tick_s else {
            return false;
        };
        let start_s = packet.pts.get() as f64 * tick_s;
        self.heard_s = start_s;
        let Some((wanted_s, length_s)) = self.trim.wanted else {
            return false;
        };
        if start_s + EXACT_S < wanted_s {
            if start_s > wanted_s - RUN_UP_S {
                // What is wrong with it is not part of the recording.
                let _ = self.track.decoder.decode(packet);
            }
            self.container.leash.grant();
            return true;
        }
        self.trim.wanted = None;
        let length_s = length_s.map(|length_s| (wanted_s + length_s - start_s).max(0.0));
        // Before the first packet, the rate is not known.
        self.track.edit = Some((0.0, length_s));
        self.trim.keep = length_s.map(|length_s| frames_of(length_s, self.layout.0));
        false
    }
}
