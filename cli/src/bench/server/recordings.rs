//! Recordings over HTTP, one after the other.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::connection::{Address, PATIENCE};

/// What became of recordings.
#[derive(Default)]
pub struct Answered {
    /// The time to the answer of each, in milliseconds.
    pub times_ms: Vec<f64>,
    /// Those that were refused, or not answered.
    pub failed: usize,
}

/// Posts `file` until `ended`; what is under way then is answered.
pub fn post(address: &Address, file: &[u8], ended: &AtomicBool) -> Answered {
    let mut answered = Answered::default();
    while !ended.load(Ordering::Relaxed) {
        let began = Instant::now();
        match once(address, file) {
            Ok(200) => answered.times_ms.push(began.elapsed().as_secs_f64() * 1e3),
            Ok(_) | Err(_) => {
                answered.failed += 1;
                // A server that refuses at once is not to be asked without end.
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
    }
    answered
}

/// Posts `file`, and gives the status of the answer.
fn once(address: &Address, file: &[u8]) -> Result<u16, String> {
    let mut socket = address.connect()?;
    let token = address.token().map(|token| format!("Authorization: Bearer {token}\r\n"));
    let head = format!(
        "POST /v1/audio/diarizations HTTP/1.1\r\nHost: {}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n{}\r\n",
        address.authority(),
        file.len(),
        token.unwrap_or_default()
    );
    let failed = |error: std::io::Error| error.to_string();
    socket.tcp().set_read_timeout(Some(10 * PATIENCE)).map_err(failed)?;
    socket.write_all(head.as_bytes()).map_err(failed)?;
    socket.write_all(file).map_err(failed)?;
    socket.flush().map_err(failed)?;
    let mut answer = Vec::new();
    // A server that closes without the farewell of TLS has answered all the same.
    let read = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| read.err().map_or("no answer".to_owned(), |error| error.to_string()))
}
