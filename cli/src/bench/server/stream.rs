//! One live stream of a server, as its client sees it. Chunks are sent when they are due, however
//! slowly answers come: a client that waited would not measure the wait of those behind it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tungstenite::{Bytes, Error, Message, WebSocket};

use super::connection::Socket;

/// What two times of one moment may differ by: the server rounds to the millisecond, and its
/// resampler may hold a sample back.
const SAME_MOMENT_S: f64 = 0.001;

/// A stream under way.
pub struct Stream {
    pub socket: WebSocket<Socket>,
    /// Its chunks, the next one first.
    next: usize,
    sent: usize,
    /// When the first chunk is due.
    begin: Instant,
    chunk_s: f64,
    /// Chunks that were not answered: the end of each in the stream, and when it was due.
    waiting: VecDeque<(f64, Instant)>,
    /// Whether segments came since the last answer.
    segments: bool,
    pub seen: Seen,
    pub state: State,
}

/// How a stream is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Open,
    /// It had its last answer.
    Done,
    /// The server ended it, or the connection broke.
    Cut,
}

/// What was measured, in milliseconds since a chunk was due.
#[derive(Default)]
pub struct Seen {
    /// Until each chunk was processed.
    pub processed_ms: Vec<f64>,
    /// Until the segments were there that a chunk has led to.
    pub segments_ms: Vec<f64>,
    /// Until each chunk was sent: what this program is late itself.
    pub sent_ms: Vec<f64>,
}

impl Seen {
    /// Adds what was seen by another.
    pub fn add(&mut self, other: Self) {
        self.processed_ms.extend(other.processed_ms);
        self.segments_ms.extend(other.segments_ms);
        self.sent_ms.extend(other.sent_ms);
    }
}

/// What matters of a message.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    r#type: &'a str,
    processed_until: Option<f64>,
}

impl Stream {
    /// A stream that sends chunk after chunk of `chunk_s` from `begin`, the one numbered `next`
    /// first.
    pub fn new(socket: WebSocket<Socket>, next: usize, begin: Instant, chunk_s: f64) -> Self {
        Self {
            socket,
            next,
            sent: 0,
            begin,
            chunk_s,
            waiting: VecDeque::new(),
            segments: false,
            seen: Seen::default(),
            state: State::Open,
        }
    }

    /// When the next chunk is due.
    pub fn due(&self) -> Instant {
        self.begin + Duration::from_secs_f64(self.sent as f64 * self.chunk_s)
    }

    /// The number of the next chunk.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Sends the next chunk, these samples. Those due before `counted` are not measured.
    pub fn send(&mut self, bytes: Bytes, counted: Instant) {
        let due = self.due();
        (self.next, self.sent) = (self.next + 1, self.sent + 1);
        let end_s = self.sent as f64 * self.chunk_s;
        self.waiting.push_back((end_s, due));
        self.put(Message::Binary(bytes));
        if due >= counted {
            self.seen.sent_ms.push(due.elapsed().as_secs_f64() * 1e3);
        }
    }

    /// Says that there is no more.
    pub fn end(&mut self) {
        self.put(Message::text(r#"{"type":"audio.end"}"#));
    }

    fn put(&mut self, message: Message) {
        match self.socket.send(message) {
            // What does not fit into the system's buffer stays in the socket's.
            Ok(()) => {}
            Err(error) if is_later(&error) => {}
            Err(_) => self.cut(),
        }
    }

    fn cut(&mut self) {
        if self.state == State::Open {
            self.state = State::Cut;
        }
    }

    /// Reads all there is.
    pub fn read(&mut self, counted: Instant) {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => self.take(&text, counted),
                Ok(Message::Close(_)) => self.cut(),
                Ok(_) => {}
                Err(error) if is_later(&error) => return,
                Err(_) => return self.cut(),
            }
        }
    }

    fn take(&mut self, text: &str, counted: Instant) {
        let Ok(told) = serde_json::from_str::<Told<'_>>(text) else { return };
        match told.r#type {
            "diarization.update" | "diarization.provisional" => self.segments = true,
            "audio.ack" => self.answered(told.processed_until.unwrap_or_default(), counted),
            "diarization.done" => self.state = State::Done,
            _ => {}
        }
    }

    /// The stream is processed to `until_s`. The segments before this message are of the same
    /// chunks.
    fn answered(&mut self, until_s: f64, counted: Instant) {
        let mut longest_ms: Option<f64> = None;
        let answered = self.waiting.iter().take_while(|(end_s, _)| *end_s <= until_s + SAME_MOMENT_S).count();
        for (_, due) in self.waiting.drain(..answered) {
            let delay_ms = due.elapsed().as_secs_f64() * 1e3;
            if due >= counted {
                self.seen.processed_ms.push(delay_ms);
                longest_ms = Some(longest_ms.map_or(delay_ms, |longest| longest.max(delay_ms)));
            }
        }
        if std::mem::take(&mut self.segments) {
            self.seen.segments_ms.extend(longest_ms);
        }
    }

    /// Counts what was never answered with the time that it has waited by now, and gives what was
    /// measured.
    pub fn finished(mut self, counted: Instant) -> (Seen, State) {
        if self.state != State::Done {
            self.state = State::Cut;
            let waited = self.waiting.iter().filter(|(_, due)| *due >= counted);
            let waited = waited.map(|(_, due)| due.elapsed().as_secs_f64() * 1e3);
            self.seen.processed_ms.extend(waited);
        }
        (self.seen, self.state)
    }
}

/// Whether there is nothing yet rather than never.
fn is_later(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}
