//! An HTTP/1.1 proxy between a registry and its store, which counts requests and does to each what
//! a test says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says why")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request or an answer.
#[derive(Clone, Debug)]
pub struct Message {
    /// The first line, without its end.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Path and query of a request.
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub fn is(&self, method: &str) -> bool {
        self.line.starts_with(&format!("{method} "))
    }

    fn read(from: &mut impl BufRead, of_head: bool) -> Option<Self> {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let mut headers = Vec::new();
        loop {
            let mut header = String::new();
            from.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut message = Self { line: line.trim_end().to_owned(), headers, body: Vec::new() };
        if of_head {
            return Some(message);
        }
        if message.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            loop {
                let mut size = String::new();
                from.read_line(&mut size).ok()?;
                let size = usize::from_str_radix(size.trim().split(';').next()?, 16).ok()?;
                let mut piece = vec![0; size + 2];
                from.read_exact(&mut piece).ok()?;
                if size == 0 {
                    break;
                }
                message.body.extend(&piece[..size]);
            }
            message.headers.retain(|(name, _)| name != "transfer-encoding");
            message.headers.push(("content-length".to_owned(), message.body.len().to_string()));
        } else if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().ok()?];
            from.read_exact(&mut message.body).ok()?;
        }
        Some(message)
    }

    /// The bytes, with the length of the body as it is by now.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        let kept = |name: &str| !["connection", "expect"].contains(&name);
        for (name, value) in self.headers.iter().filter(|(name, _)| kept(name)) {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"connection: close\r\n\r\n");
        bytes.extend(&self.body);
        bytes
    }

    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(found, _)| found != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn set_body(&mut self, body: Vec<u8>) {
        self.set_header("content-length", &body.len().to_string());
        self.body = body;
    }
}

/// What happens to a request.
pub trait Hook: Send + Sync + 'static {
    /// The n-th request, from 1 on, before it is passed on. `None`: the connection is closed.
    fn request(&self, _n: usize, request: Message) -> Option<Message> {
        Some(request)
    }

    /// Its answer. `None`: the connection is closed.
    fn answer(&self, _n: usize, _request: &Message, answer: Message) -> Option<Message> {
        Some(answer)
    }

    /// Writes the answer.
    fn send(&self, mut to: TcpStream, answer: &[u8]) {
        let _ = to.write_all(answer);
    }
}

/// Passes everything on.
pub struct Through;

impl Hook for Through {}

/// A proxy that runs for as long as the test program.
pub struct Proxy {
    pub address: SocketAddr,
    pub requests: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn start(to: SocketAddr, hook: impl Hook) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let (hook, count) = (Arc::new(hook), requests.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (hook, count) = (hook.clone(), count.clone());
                std::thread::spawn(move || serve(client, to, &*hook, &count));
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// One request on each connection.
fn serve(client: TcpStream, to: SocketAddr, hook: &dyn Hook, count: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let request = Message::read(&mut reader, false)?;
    let n = count.fetch_add(1, Ordering::SeqCst) + 1;
    let request = hook.request(n, request)?;
    let answer = exchange(to, &request)?;
    let answer = hook.answer(n, &request, answer)?;
    hook.send(client, &answer.bytes());
    Some(())
}

/// Asks a server.
pub fn exchange(to: SocketAddr, request: &Message) -> Option<Message> {
    let mut server = TcpStream::connect(to).ok()?;
    server.write_all(&request.bytes()).ok()?;
    Message::read(&mut BufReader::new(server), request.is("HEAD"))
}

/// A request with a body.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    headers.push(("host".to_owned(), "127.0.0.1".to_owned()));
    headers.push(("content-length".to_owned(), body.len().to_string()));
    Message { line: format!("{method} {path} HTTP/1.1"), headers, body: body.to_vec() }
}
