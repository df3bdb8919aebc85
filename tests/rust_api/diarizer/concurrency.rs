//! One diarizer, several callers at once.

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::{conversation, piece};

#[test]
fn callers_at_once_get_what_they_would_get_alone() {
    let diarizer = diarizer(|_| {});
    let recordings = [piece(0.0, 30.0), conversation(), piece(12.0, 13.5), &[][..]];
    let alone = recordings.map(|samples| diarize(&diarizer, samples));
    std::thread::scope(|scope| {
        let callers = recordings.map(|samples| scope.spawn(|| diarize(&diarizer, samples)));
        for (caller, alone) in callers.into_iter().zip(&alone) {
            assert_eq!(caller.join().unwrap(), *alone);
        }
    });
}
