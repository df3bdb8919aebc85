//! How many streams the machine can serve, measured when the models are loaded.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use voiceflow::{Call, Diarizer, Provider, Stream};

/// Share of the processors' time that live streams are given.
const SHARE: f64 = 0.6;
/// Turns before the first that is measured, at least: the network must be warm.
const WARM_TURNS: usize = 10;
/// Turns that are measured.
const TURNS: usize = 5;
/// Samples a second of the audio that is measured with.
const RATE: usize = 16_000;

/// Streams that `cores` processors serve at once.
///
/// # Errors
/// Those of [`Stream::new`] and [`Stream::push_f32`].
pub fn measure(diarizer: &Diarizer, cores: usize) -> voiceflow::Result<f64> {
    let mut config = voiceflow::Config::default();
    config.set_history(0.0)?;
    let stream = Stream::new(diarizer, &config, RATE as u32, 1)?;
    // Each turn has one window, and those that are measured have full ones.
    let hop_s = diarizer.live_hop_s();
    let samples: Vec<f32> = noise().take((hop_s * RATE as f64).round() as usize).collect();
    let warm = diarizer.model().window_samples.div_ceil(samples.len().max(1)).max(WARM_TURNS);
    let mut shortest_s = f64::MAX;
    // A turn runs on the thread that asks for it, beside whatever else the machine does; a GPU is
    // waited for.
    let clock = match diarizer.model().provider {
        Provider::Auto | Provider::Cpu => ClockId::ThreadCPUTime,
        Provider::Cuda | Provider::TensorRt => ClockId::Monotonic,
    };
    for turn in 0..warm + TURNS {
        let began = time(clock);
        stream.push_f32(&samples, &Call::none())?;
        // The one that least was done beside.
        if turn >= warm {
            shortest_s = shortest_s.min((time(clock) - began).as_secs_f64());
        }
    }
    Ok((SHARE * cores as f64 * hop_s / shortest_s).max(1.0))
}

fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Quiet noise: the network takes as long for it as for speech.
fn noise() -> impl Iterator<Item = f32> {
    let mut state = 1_u32;
    std::iter::repeat_with(move || {
        // The constants of Numerical Recipes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        0.1 * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    })
}
