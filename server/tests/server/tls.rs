//! TLS: certificates that are made here by OpenSSL, and clients that check them: curl, and rustls
//! for WebSockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::streams::{as_i16, bytes_of, expected_segments, samples};
use crate::support::{CONVERSATION, Server, expected, program, root, wait_until};

/// A folder of certificates, all signed by one authority.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().unwrap() };
        authority.openssl("req -x509 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem");
        authority
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.folder.path()).stderr(Stdio::null());
        if arguments.starts_with("req") {
            command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        }
        assert!(command.status().unwrap().success(), "openssl {arguments}");
    }

    /// Makes NAME.key and NAME.pem, with this extension.
    fn issue(&self, name: &str, extension: &str) {
        self.openssl(&format!(
            "req -new -nodes -subj /CN={name} -addext {extension} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -days 2 -copy_extensions copy -CA ca.pem -CAkey ca.key -CAcreateserial \
             -in {name}.csr -out {name}.pem"
        ));
    }

    /// One for servers on this machine.
    fn with_server(self) -> Self {
        self.issue("server", "subjectAltName=IP:127.0.0.1");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The keys of the configuration of a server.
    fn keys(&self) -> [String; 2] {
        let key = |key: &str, name: &str| format!("tls.{key}={}", self.path(name).display());
        [key("certificate", "server.pem"), key("key", "server.key")]
    }

    /// A server with TLS and these other keys.
    fn start(&self, more: &[&str]) -> Server {
        let own = self.keys();
        Server::start(&own.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// The status and the text that curl gets; its exit code where there is no answer.
    fn curl(&self, server: &Server, path: &str, arguments: &[&str]) -> Result<(u16, String), i32> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "180", "--write-out", "\n%{http_code}", "--cacert"]);
        command.arg(self.path("ca.pem")).args(arguments);
        let output = command.arg(format!("https://{}{path}", server.address)).output().unwrap();
        if !output.status.success() {
            return Err(output.status.code().unwrap());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let (text, status) = text.rsplit_once('\n').unwrap();
        Ok((status.parse().unwrap(), text.to_owned()))
    }

    /// The same with the certificate NAME.
    fn curl_as(&self, name: &str, server: &Server, path: &str, more: &[&str]) -> Result<(u16, String), i32> {
        let (key, certificate) = (self.path(&format!("{name}.key")), self.path(&format!("{name}.pem")));
        let own = ["--key", key.to_str().unwrap(), "--cert", certificate.to_str().unwrap()];
        self.curl(server, path, &own.iter().chain(more).copied().collect::<Vec<_>>())
    }

    /// A WebSocket of a client that trusts this authority.
    fn websocket(
        &self,
        server: &Server,
    ) -> WebSocket<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let name = server.address.ip().into();
        let tls = rustls::ClientConnection::new(Arc::new(config.with_no_client_auth()), name).unwrap();
        let stream = rustls::StreamOwned::new(tls, server.connect());
        let url = format!("wss://{}/v1/audio/diarizations/stream", server.address);
        tungstenite::client(url, stream).unwrap().0
    }
}

fn posted() -> String {
    format!("@{}", root().join(CONVERSATION).display())
}

#[test]
fn answers_over_tls_are_those_of_the_library() {
    let authority = Authority::new().with_server();
    let server = authority.start(&[]);
    for version in ["1.2", "1.3"] {
        let versions =
            ["--tls-max", version, "--data-binary", &posted(), "--header", "Content-Type: audio/flac"];
        let (status, text) = authority.curl(&server, "/v1/diarizations", &versions).unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer["segments"].as_array().unwrap().len()), (200, expected().segments.len()));
    }
    // CURLE_PEER_FAILED_VERIFICATION.
    assert_eq!(Authority::new().curl(&server, "/health", &[]), Err(60));
    assert!(authority.curl(&server, "/health", &["--tls-max", "1.1"]).is_err());
    // Nobody is answered in plain text.
    let mut plain = server.connect();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn new_certificates_hold_for_new_connections_while_old_ones_live() {
    let (old, new) = (Authority::new().with_server(), Authority::new().with_server());
    for hangup in [false, true] {
        let folder = Authority::new().with_server();
        let put = |from: &Authority| {
            for name in ["server.key", "server.pem"] {
                // As a renamed file, so that no half of it is read.
                std::fs::copy(from.path(name), folder.path("new")).unwrap();
                std::fs::rename(folder.path("new"), folder.path(name)).unwrap();
            }
        };
        put(&old);
        let watch = if hangup { "tls.watch_s=86400" } else { "tls.watch_s=0.1" };
        let server = folder.start(&[watch, "log.level=off"]);
        let mut stream = old.websocket(&server);
        assert!(stream.read().unwrap().into_text().unwrap().contains("session.ready"));

        let tell = || {
            if hangup {
                server.signal("-HUP")
            }
        };
        put(&new);
        tell();
        wait_until("the certificate is read", || new.curl(&server, "/health", &[]).is_ok());
        assert_eq!(old.curl(&server, "/health", &[]), Err(60));

        // Where the new one is broken, the last one stays.
        std::fs::write(folder.path("server.pem"), "-----BEGIN CERTIFICATE-----\nhunter2\n").unwrap();
        tell();
        let failed = "voiceflow_certificate_reloads_total{outcome=\"failed\"}";
        wait_until("the broken file is looked at", || server.metric(failed) > 0.0);
        assert_eq!(new.curl(&server, "/health", &[]).unwrap().0, 200);

        let samples = as_i16(&samples());
        for piece in bytes_of(&samples).chunks(12_800) {
            stream.send(Message::binary(piece.to_vec())).unwrap();
        }
        stream.send(Message::text(json!({"type": "audio.end"}).to_string())).unwrap();
        let mut segments = Vec::new();
        while let Ok(message) = stream.read() {
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == "diarization.update" {
                segments.extend(message["segments"].as_array().unwrap().clone());
            }
        }
        assert_eq!(segments, expected_segments(&samples, 1.0));
    }
}

#[test]
fn certificates_of_clients_are_tenants() {
    let authority = Authority::new().with_server();
    authority.issue("acme", "subjectAltName=DNS:acme.example,URI:spiffe://example/other");
    authority.issue("other", "subjectAltName=URI:spiffe://example/other");
    authority.issue("nameless", "keyUsage=digitalSignature");
    let foreign = Authority::new();
    foreign.issue("acme", "subjectAltName=DNS:acme.example");
    std::fs::copy(foreign.path("acme.pem"), authority.path("foreign.pem")).unwrap();
    std::fs::copy(foreign.path("acme.key"), authority.path("foreign.key")).unwrap();
    let ca = format!("tls.client_ca={}", authority.path("ca.pem").display());
    let few = ["limits.requests_per_s=0.001", "limits.requests_burst=1"];

    let server = authority.start(&[&ca, few[0], few[1]]);
    assert!(authority.curl(&server, "/health", &[]).is_err(), "a client without a certificate");
    assert!(authority.curl_as("foreign", &server, "/health", &[]).is_err());
    let ask = |name: &str| {
        let posted = posted();
        let more = ["--data-binary", &posted, "--header", "Content-Type: audio/flac"];
        authority.curl_as(name, &server, "/v1/diarizations", &more).unwrap()
    };
    assert_eq!(["acme", "acme", "other"].map(|name| ask(name).0), [200, 429, 200]);
    let (status, text) = ask("nameless");
    assert!(status == 401 && text.contains("invalid_certificate"), "{text}");

    // With tokens beside, either lets in.
    let tokens = authority.path("tokens.toml");
    let sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // of "secret"
    let text = format!("[[tokens]]\nsha256 = \"{sha256}\"\ntenant = \"t\"\nscopes = [\"diarize\"]\n");
    std::fs::write(&tokens, text).unwrap();
    let server = authority.start(&[&ca, &format!("auth.tokens={}", tokens.display())]);
    let (posted, kind) = (posted(), "Content-Type: audio/flac");
    let recording = ["--data-binary", &posted, "--header", kind];
    let with = |token: &'static str| [&recording[..], &["--header", token]].concat();
    let none = authority.curl(&server, "/v1/diarizations", &recording).unwrap();
    let token = authority.curl(&server, "/v1/diarizations", &with("Authorization: Bearer secret")).unwrap();
    let certificate = authority.curl_as("acme", &server, "/v1/diarizations", &recording).unwrap();
    let wrong = with("Authorization: Bearer wrong");
    let both = authority.curl_as("acme", &server, "/v1/diarizations", &wrong).unwrap();
    assert_eq!((none.0, token.0, certificate.0, both.0), (401, 200, 200, 401));
}

/// What nobody reads must not take the answer along.
#[test]
fn who_still_sends_reads_the_refusal() {
    let authority = Authority::new().with_server();
    let server = authority.start(&["limits.upload_bytes=1000"]);
    let large = authority.path("large");
    std::fs::write(&large, vec![0; 900_000]).unwrap();
    let posted = format!("@{}", large.display());
    let recording = ["--data-binary", &posted, "--header", "Content-Type: audio/flac", "--header", "Expect:"];
    for _ in 0..100 {
        assert_eq!(authority.curl(&server, "/v1/diarizations", &recording).map(|it| it.0), Ok(413));
    }
}

#[test]
fn slow_handshakes_are_cut_and_counted() {
    let authority = Authority::new().with_server();
    let server = authority.start(&["listen.connections_per_address=3"]);
    let held: Vec<_> = (0..3).map(|_| server.connect()).collect();
    assert_eq!(server.connect().read(&mut [0]).unwrap_or(0), 0, "a fourth is let in");
    drop(held);
    wait_until("the places are given back", || authority.curl(&server, "/health", &[]).is_ok());

    let server = authority.start(&["tls.handshake_timeout_s=0.5"]);
    let began = Instant::now();
    let mut sockets: Vec<_> = (0..3).map(|_| server.connect()).collect();
    // The beginning of a record, of which more comes a byte at a time.
    sockets[0].write_all(b"\x16\x03\x01\x02\x00").unwrap();
    wait_until("the handshake has an end", || sockets[0].write_all(b"\x01").is_err());
    for socket in &mut sockets[1..] {
        let _ = socket.read_to_end(&mut Vec::new());
    }
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
}

#[test]
fn files_that_are_wrong_stop_the_start_by_their_name() {
    let authority = Authority::new().with_server();
    authority.issue("another", "subjectAltName=IP:127.0.0.1");
    std::fs::write(authority.path("nonsense.pem"), "hunter2").unwrap();
    let said = |certificate: &Path, key: &Path, more: &[String]| {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        let own =
            [format!("tls.certificate={}", certificate.display()), format!("tls.key={}", key.display())];
        for key in own.iter().chain(more) {
            command.args(["--set", key]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && !text.contains("hunter2"), "{text}");
        text
    };
    let path = |name: &str| authority.path(name);
    let (certificate, key) = (path("server.pem"), path("server.key"));
    let shown = |name: &str| path(name).display().to_string();
    let missing = said(&path("missing.pem"), &key, &[]);
    assert!(missing.contains(&shown("missing.pem")), "{missing}");
    let none = said(&path("nonsense.pem"), &key, &[]);
    assert!(
        none.contains(&format!("{}: expected a certificate as PEM, got none", shown("nonsense.pem"))),
        "{none}"
    );
    let no_key = said(&certificate, &path("server.pem"), &[]);
    assert!(no_key.contains("server.pem: expected a private key as PEM, got none"), "{no_key}");
    let other = said(&certificate, &path("another.key"), &[]);
    assert!(other.contains(&shown("another.key")), "{other}");
    let ca = said(&certificate, &key, &[format!("tls.client_ca={}", shown("nonsense.pem"))]);
    assert!(ca.contains(&shown("nonsense.pem")), "{ca}");
}
