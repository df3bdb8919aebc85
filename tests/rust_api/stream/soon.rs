//! The finish of a stream ends soon after its deadline and after its callback says so, and can be
//! called again.

use std::time::Duration;

use crate::support;
use crate::support::looks::{Looks, least, worked};
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Cancel, Config, Diarizer, Error, Stage, Stream};

/// Longest time that these tests allow from a deadline or a cancellation to the end of the call:
/// far more than measured, for a build that is not optimised.
const LONGEST: Duration = Duration::from_secs(1);
const MINUTES: usize = 3;

#[test]
fn a_finish_ends_at_its_deadline_and_at_the_callback_and_goes_on() {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_threads(1).unwrap();
    let diarizer = Diarizer::new(&config).unwrap();
    let stream = Stream::new(&diarizer, &config, SAMPLE_RATE, 1).unwrap();
    let total = MINUTES * 60 * SAMPLE_RATE as usize;
    let conversation = support::conversation();
    let samples: Vec<f32> = conversation.iter().copied().cycle().take(total).collect();
    // All of it in one piece, of which the deadline leaves much to the finish.
    let limit = Duration::from_millis(20);
    let call = Call::none().with_deadline(Some(limit));
    assert!(matches!(stream.push_f32(&samples, &call), Err(Error::Deadline { .. })));

    let took = least(limit + LONGEST, || {
        let begun = worked();
        let error = stream.finish(&Call::none().with_deadline(Some(limit))).err();
        assert!(matches!(error, Some(Error::Deadline { .. })), "{error:?}");
        worked() - begun
    });
    println!("deadline: {took:.0?}");
    assert!(took < limit + LONGEST, "{took:?}");

    let took = least(LONGEST, || {
        let begun = worked();
        let cancel = Cancel::new();
        let end = |_: Stage, _: f32| cancel.set();
        let error = stream.finish(&Call::none().with_progress(&end).with_cancel(&cancel)).err();
        assert!(matches!(error, Some(Error::Cancelled { .. })), "{error:?}");
        worked() - begun
    });
    println!("switch: {took:.0?}");
    assert!(took < LONGEST, "{took:?}");

    let (finished, longest) = Looks::timed(None, |call| stream.finish(call).unwrap());
    println!("longest time between two looks: {longest:.0?}");
    assert!(longest < LONGEST, "{longest:?}");
    let last = finished.diarization.segments.iter().map(|segment| segment.end_s).fold(0.0, f64::max);
    assert!(last > (MINUTES * 60) as f64 - 60.0, "{last}");
}
