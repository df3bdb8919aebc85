//! What a client of a service waits for: a window of audio goes over a connection to a server
//! thread of this program, which converts it, runs the network, finds who speaks when, and answers
//! in JSON. The connection is a real one within this machine; the time that a network would take is
//! slept, half of it on each way.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayView2, Axis};
use serde::Serialize;
use voiceflow::Call;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::model::{Inference, Session};

use super::percentiles::Timed;
use crate::exit::Failure;

/// Probability from which a local speaker is taken to speak.
const ACTIVE: f32 = 0.5;

/// A stretch of a window in which one local speaker speaks.
#[derive(Serialize)]
struct Stretch {
    speaker: usize,
    start_s: f64,
    end_s: f64,
}

/// Times in milliseconds from before the first byte of a window is sent until its answer is there,
/// one window after the other.
///
/// # Errors
/// The network's, and those of the connection.
pub fn time(
    session: &Session,
    window: ArrayView2<f32>,
    network: Duration,
    warmup: u32,
    iterations: u32,
) -> Result<Timed, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(broken)?;
    // The system takes the connection before the listener is asked for it.
    let connection = TcpStream::connect(listener.local_addr().map_err(broken)?).map_err(broken)?;
    let (accepted, _) = listener.accept().map_err(broken)?;
    let samples = window.len();
    thread::scope(|scope| {
        // It ends when the client hangs up.
        let server = scope.spawn(move || serve(session, accepted, samples, network / 2));
        let asked = ask(connection, window, network / 2, warmup, iterations);
        let served =
            server.join().map_err(|_| Failure::Failed("bench: the server thread failed".to_owned()))?;
        // Why the server stopped says more than that the client was not answered.
        let times_ms = served.and(asked)?;
        Ok(Timed { wall_s: times_ms.iter().sum::<f64>() / 1e3, times_ms })
    })
}

fn broken(error: std::io::Error) -> Failure {
    Failure::Failed(format!("bench: the connection within this machine failed: {error}"))
}

/// The client: sends the window as 16-bit samples, and reads a line.
fn ask(
    mut connection: TcpStream,
    window: ArrayView2<f32>,
    one_way: Duration,
    warmup: u32,
    iterations: u32,
) -> Result<Vec<f64>, Failure> {
    connection.set_nodelay(true).map_err(broken)?;
    let sample = |value: &f32| ((value * 32_768.0).clamp(-32_768.0, 32_767.0) as i16).to_le_bytes();
    let bytes: Vec<u8> = window.iter().flat_map(sample).collect();
    let mut answers = BufReader::new(connection.try_clone().map_err(broken)?);
    let mut times_ms = Vec::with_capacity(iterations as usize);
    for number in 0..u64::from(warmup) + u64::from(iterations) {
        let start = Instant::now();
        connection.write_all(&bytes).map_err(broken)?;
        let mut line = Vec::new();
        answers.read_until(b'\n', &mut line).map_err(broken)?;
        if line.last() != Some(&b'\n') {
            return Err(Failure::Failed("bench: the server thread hung up".to_owned()));
        }
        thread::sleep(one_way);
        if number >= u64::from(warmup) {
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times_ms)
}

/// The server: answers windows until the client hangs up.
fn serve(
    session: &Session,
    mut connection: TcpStream,
    samples: usize,
    one_way: Duration,
) -> Result<(), Failure> {
    connection.set_nodelay(true).map_err(broken)?;
    let mut bytes = vec![0; 2 * samples];
    let mut audio = Array2::zeros((1, samples));
    let mut found = Inference::default();
    loop {
        match connection.read_exact(&mut bytes) {
            Ok(()) => thread::sleep(one_way),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(broken(error)),
        }
        for (value, sample) in audio.iter_mut().zip(bytes.chunks_exact(2)) {
            *value = f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0;
        }
        session.infer(audio.view(), &mut found, &Call::none())?;
        let step_s = session.info().frame_step_samples as f64 / f64::from(SAMPLE_RATE);
        let answer = super::to_json(&stretches(&found, step_s))?;
        connection.write_all(answer.as_bytes()).map_err(broken)?;
    }
}

/// Where each local speaker of a batch's first window speaks.
fn stretches(found: &Inference, step_s: f64) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for (speaker, activity) in found.activity.index_axis(Axis(0), 0).axis_iter(Axis(1)).enumerate() {
        let mut start = None;
        for frame in 0..=activity.len() {
            let active = activity.get(frame).is_some_and(|probability| *probability >= ACTIVE);
            match (start, active) {
                (None, true) => start = Some(frame),
                (Some(first), false) => {
                    let (start_s, end_s) = (first as f64 * step_s, frame as f64 * step_s);
                    stretches.push(Stretch { speaker, start_s, end_s });
                    start = None;
                }
                _ => {}
            }
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn stretches_are_where_a_speaker_is_active() {
        let mut found = Inference { activity: Array3::zeros((1, 5, 2)), ..Inference::default() };
        for (frame, speaker) in [(0, 0), (1, 0), (3, 0), (4, 1)] {
            found.activity[(0, frame, speaker)] = 0.9;
        }
        let found: Vec<_> =
            stretches(&found, 0.5).iter().map(|it| (it.speaker, it.start_s, it.end_s)).collect();
        assert_eq!(found, [(0, 0.0, 1.0), (0, 1.5, 2.0), (1, 2.0, 2.5)]);
    }
}
