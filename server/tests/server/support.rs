//! What these tests share: a server of their own, and a client that says exactly what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The recording that most tests send; a path from the root of the checkout.
pub const CONVERSATION: &str = "examples/data/conversation.flac";

/// Longest wait for anything: a machine that does much else is slow.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Keys of every server but those that say otherwise. Whatever else the machine does, nobody waits
/// long for a recording, no client is too slow, and no model looks worse than another.
const PATIENT: [&str; 13] = [
    "log.level=error",
    "batch.niceness=0",
    "limits.upload_grace_s=600",
    "listen.header_timeout_s=600",
    "listen.write_timeout_s=600",
    "live.behind_s=600",
    "live.first_message_s=600",
    "live.idle_s=600",
    "live.ping_s=600",
    "live.pong_s=600",
    "registry.timeout_s=120",
    "rollout.ratio=1000",
    "tls.handshake_timeout_s=600",
];

/// Waits until it is so.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The bytes of [`CONVERSATION`].
pub fn conversation() -> Vec<u8> {
    std::fs::read(root().join(CONVERSATION)).unwrap()
}

/// The file of ONNX Runtime.
pub fn runtime_library() -> PathBuf {
    if let Some(path) = std::env::var_os("VOICEFLOW_ORT_LIBRARY") {
        return path.into();
    }
    let path = root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    assert!(path.is_file(), "{}: not there; run scripts/fetch_runtime.sh", path.display());
    path
}

/// The program in an environment with nothing but an ONNX Runtime.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voiceflow-server"));
    command.env_clear().env("VOICEFLOW_ORT_LIBRARY", runtime_library()).current_dir(root());
    command
}

/// A server that runs until it is dropped.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    /// Kept open: the server may write to it.
    _out: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server with these keys of the configuration, and waits until it is ready.
    pub fn start(keys: &[&str]) -> Self {
        Self::start_with(keys, &[])
    }

    /// The same with these variables.
    pub fn start_with(keys: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn_with(&[], keys, variables).once_ready()
    }

    /// The same with a configuration file.
    pub fn start_from(file: &str, keys: &[&str]) -> Self {
        Self::start_from_with(file, keys, &[])
    }

    /// The same with variables.
    pub fn start_from_with(file: &str, keys: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn_with(&["--config", file], keys, variables).once_ready()
    }

    fn once_ready(self) -> Self {
        wait_until("the server is ready", || self.get_admin("/ready").status == 200);
        self
    }

    /// Starts a server, which may not be ready yet.
    pub fn spawn(keys: &[&str]) -> Self {
        Self::spawn_with(&[], keys, &[])
    }

    fn spawn_with(arguments: &[&str], keys: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = program();
        command.args(arguments);
        command.envs(variables.iter().copied());
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        for key in PATIENT.iter().chain(keys) {
            command.args(["--set", key]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut address = |before: &[&str], after: &str| {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let mut inner = before.iter().filter_map(|before| line.trim_end().strip_prefix(before));
            let inner = inner.next().and_then(|line| line.strip_suffix(after));
            inner.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap()
        };
        let public = address(&["listening on http://", "listening on https://"], "");
        let admin = address(&["metrics on http://"], "/metrics");
        Self { child, address: public, admin, _out: out }
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// Sends `head`, without the lines about the connection, and `body`.
    pub fn ask(&self, head: &str, body: &[u8]) -> Answer {
        Answer::read(&mut self.send(head, body))
    }

    /// The same without waiting for the answer.
    pub fn send(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut socket = self.connect();
        let head =
            format!("{head}\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        socket.write_all(head.as_bytes()).unwrap();
        // Who is refused early may not be read to the end.
        let _ = socket.write_all(body);
        socket
    }

    /// GET of a path.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1"), b"")
    }

    /// The same at the address of administration.
    pub fn get_admin(&self, path: &str) -> Answer {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        Answer::read(&mut socket)
    }

    /// POST of `body` at the address of administration.
    pub fn post_admin(&self, path: &str, body: &str) -> Answer {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        Answer::read(&mut socket)
    }

    /// The bare recording, with the fields in the query.
    pub fn diarize(&self, query: &str, recording: &[u8]) -> Answer {
        self.ask(
            &format!("POST /v1/audio/diarizations?{query} HTTP/1.1\r\nContent-Type: audio/flac"),
            recording,
        )
    }

    /// Sends the head of a recording of so many bytes, which the server has begun to read when this
    /// returns.
    pub fn begin(&self, length: usize) -> TcpStream {
        let mut socket = self.connect();
        let head = format!(
            "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nContent-Type: audio/flac\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let expected = *b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut answer = [0; 25];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(answer, expected, "{}", String::from_utf8_lossy(&answer));
        socket
    }

    /// Sends a recording to a server that ends before it answers.
    pub fn post_to(address: SocketAddr, recording: &[u8]) {
        let mut socket = TcpStream::connect(address).unwrap();
        let length = recording.len();
        let head = format!(
            "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: {length}\r\n\r\n"
        );
        let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(recording));
        let _ = socket.read_to_end(&mut Vec::new());
    }

    /// A form with these fields and the recording as `file`.
    pub fn diarize_form(&self, path: &str, fields: &[(&str, &str)], name: &str, recording: &[u8]) -> Answer {
        Answer::read(&mut self.send_form(path, fields, name, recording))
    }

    /// The same without waiting for the answer.
    pub fn send_form(&self, path: &str, fields: &[(&str, &str)], name: &str, recording: &[u8]) -> TcpStream {
        let mut body = Vec::new();
        for (field, value) in fields {
            let part =
                format!("--xyz\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        let part = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: audio/flac\r\n\r\n"
        );
        body.extend(part.into_bytes());
        body.extend(recording);
        body.extend(b"\r\n--xyz--\r\n");
        let kind = "multipart/form-data; boundary=xyz";
        self.send(&format!("POST {path} HTTP/1.1\r\nContent-Type: {kind}"), &body)
    }

    /// What the metrics say of `line`, the name with its labels; 0 where they do not know it.
    pub fn metric(&self, line: &str) -> f64 {
        let text = self.get_admin("/metrics").text();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until the metrics say so of `line`: a client may see an end before it is counted.
    pub fn wait_for_metric(&self, line: &str, expected: f64) {
        wait_until(&format!("{line} is {expected}"), || self.metric(line) == expected);
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its number.
    pub fn signal(&self, signal: &str) {
        let id = self.process_id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for the end, and gives the exit code.
    pub fn ended(&mut self) -> i32 {
        let mut status = None;
        wait_until("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code()).expect("an end by itself")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads to the end of the connection.
    pub fn read(socket: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut piece = [0; 65_536];
        // A connection that is reset after the answer has been answered.
        while let Ok(count) = socket.read(&mut piece) {
            if count == 0 {
                break;
            }
            bytes.extend(&piece[..count]);
        }
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let raw = &bytes[end + 4..];
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { unchunked(raw) } else { raw.to_vec() };
        Self { status, head, body }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The status, and of the error its code and its message.
    pub fn error(&self) -> (u16, String, String) {
        let error = self.json()["error"].clone();
        let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
        (self.status, text("code"), text("message"))
    }
}

/// The pieces of a chunked body.
fn unchunked(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = raw.windows(2).position(|window| window == b"\r\n").unwrap();
        let count = usize::from_str_radix(std::str::from_utf8(&raw[..end]).unwrap(), 16).unwrap();
        if count == 0 {
            return body;
        }
        body.extend(&raw[end + 2..end + 2 + count]);
        raw = &raw[end + 2 + count + 2..];
    }
}

/// The library's own answer for the recording, which every server must give: what
/// `voiceflow diarize` writes.
pub fn expected() -> voiceflow::Diarization {
    expected_with(voiceflow::Config::default())
}

/// The library's own answer with these options.
pub fn expected_with(mut config: voiceflow::Config) -> voiceflow::Diarization {
    config.set_runtime_library(runtime_library());
    let diarizer = voiceflow::Diarizer::new(&config).unwrap();
    diarizer.process_file(root().join(CONVERSATION), &voiceflow::Call::none()).unwrap()
}

/// Samples as a WAV file: 16-bit mono.
pub fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + 2 * samples.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend((2 * rate).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((2 * samples.len() as u32).to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}
