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
    /// Audio in seconds from one window that the server analyses to the next.
    hop_s: f64,
    /// Ends in seconds of the chunks that were not answered.
    waiting: VecDeque<f64>,
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

/// What was measured, in milliseconds.
#[derive(Default)]
pub struct Seen {
    /// Until each chunk was processed, since the chunk was due that completed its window.
    pub processed_ms: Vec<f64>,
    /// Until the segments of a window were there, since the chunk was due that completed it.
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
    hop: Option<f64>,
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
            hop_s: chunk_s,
            waiting: VecDeque::new(),
            segments: false,
            seen: Seen::default(),
            state: State::Open,
        }
    }

    /// When the next chunk is due.
    pub fn due(&self) -> Instant {
        self.due_of(self.sent)
    }

    fn due_of(&self, chunk: usize) -> Instant {
        self.begin + Duration::from_secs_f64(chunk as f64 * self.chunk_s)
    }

    /// When the chunk is due that completes the window in which the chunk that ends at `end_s` is
    /// answered.
    fn completed(&self, end_s: f64) -> Instant {
        let window_end_s = ((end_s - SAME_MOMENT_S) / self.hop_s).ceil() * self.hop_s;
        let chunk = ((window_end_s - SAME_MOMENT_S) / self.chunk_s).ceil() as usize;
        self.due_of(chunk.saturating_sub(1))
    }

    /// The number of the next chunk.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Sends the next chunk, these samples. Those due before `counted` are not measured.
    pub fn send(&mut self, bytes: Bytes, counted: Instant) {
        let due = self.due();
        (self.next, self.sent) = (self.next + 1, self.sent + 1);
        self.waiting.push_back(self.sent as f64 * self.chunk_s);
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
            "session.ready" => self.hop_s = told.hop.unwrap_or(self.chunk_s),
            "audio.ack" => self.answered(told.processed_until.unwrap_or_default(), counted),
            "diarization.done" => self.state = State::Done,
            _ => {}
        }
    }

    /// The stream is processed to `until_s`. The segments before this message are of the same
    /// chunks.
    fn answered(&mut self, until_s: f64, counted: Instant) {
        let mut longest_ms: Option<f64> = None;
        let answered = self.waiting.iter().take_while(|end_s| **end_s <= until_s + SAME_MOMENT_S).count();
        for due in self.due_until(answered, counted) {
            let delay_ms = due.elapsed().as_secs_f64() * 1e3;
            self.seen.processed_ms.push(delay_ms);
            longest_ms = Some(longest_ms.map_or(delay_ms, |longest| longest.max(delay_ms)));
        }
        if std::mem::take(&mut self.segments) {
            self.seen.segments_ms.extend(longest_ms);
        }
    }

    /// When the answers to the first `chunks` that wait for one could come at the earliest; they
    /// wait no longer. Chunks that were due before `counted` are left out.
    fn due_until(&mut self, chunks: usize, counted: Instant) -> Vec<Instant> {
        let ends_s: Vec<f64> = self.waiting.drain(..chunks).collect();
        let own = |end_s: &f64| self.due_of(((end_s / self.chunk_s).round() as usize).saturating_sub(1));
        let measured = ends_s.iter().filter(|end_s| own(end_s) >= counted);
        measured.map(|end_s| self.completed(*end_s)).collect()
    }

    /// Counts what was never answered with the time that it has waited by now, and gives what was
    /// measured.
    pub fn finished(mut self, counted: Instant) -> (Seen, State) {
        if self.state != State::Done {
            self.state = State::Cut;
            let due = self.due_until(self.waiting.len(), counted);
            self.seen.processed_ms.extend(due.iter().map(|due| due.elapsed().as_secs_f64() * 1e3));
        }
        (self.seen, self.state)
    }
}

/// Whether there is nothing yet rather than never.
fn is_later(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}
