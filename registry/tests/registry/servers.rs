//! The stores that are tested with: moto for S3, fake-gcs-server for GCS. Each runs once for all
//! tests of the program, and each test has a bucket of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]
#![allow(clippy::zombie_processes, reason = "servers outlive the test that starts them")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use voiceflow_registry::{Patience, Registry};

use crate::proxy::{Hook, Message, Proxy, Through, exchange, request};
use crate::support::{KEY, PATIENCE, root};

/// Longest start of a server: a machine that does much else is slow.
const START: Duration = Duration::from_secs(120);
/// Most addresses that are tried.
const ADDRESSES: usize = 10;

/// A file of the environment with the servers, which `make` made.
fn installed(path: &str) -> PathBuf {
    let path = root().join(".cache/registry").join(path);
    assert!(path.exists(), "{}: not there; run `make .cache/registry/ready`", path.display());
    path
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts a server that ends with this program, and waits until it takes connections. Where it
/// ends, as another program has taken its address meanwhile, another address is tried.
fn start(program: &str, arguments: impl Fn(SocketAddr) -> Vec<String>) -> SocketAddr {
    let parent = std::process::id();
    let script = format!(
        "\"$@\" >/dev/null 2>&1 & child=$!; \
         while kill -0 {parent} && kill -0 $child; do sleep 0.5; done 2>/dev/null; kill $child"
    );
    for _ in 0..ADDRESSES {
        let address = free_address();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&script).arg("sh").arg(installed(program)).args(arguments(address));
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut shell = shell.spawn().unwrap();
        let began = Instant::now();
        while shell.try_wait().unwrap().is_none() {
            if TcpStream::connect(address).is_ok() {
                return address;
            }
            assert!(began.elapsed() < START, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("{program} ended at each of {ADDRESSES} addresses")
}

/// A bucket of a store, behind a proxy.
pub struct Bucket {
    pub url: String,
    /// What the store itself listens on.
    pub store: SocketAddr,
    /// Variables by which `voiceflow-models` reaches it.
    pub variables: Vec<(&'static str, String)>,
    pub proxy: Proxy,
}

fn next(scheme: &str) -> String {
    static BUCKETS: AtomicUsize = AtomicUsize::new(0);
    format!("{scheme}-bucket-{}", BUCKETS.fetch_add(1, Ordering::SeqCst))
}

/// A bucket of S3 behind a proxy with `hook`.
pub fn s3(hook: impl Hook) -> Bucket {
    static MOTO: OnceLock<SocketAddr> = OnceLock::new();
    let store = *MOTO.get_or_init(|| {
        start("bin/moto_server", |address| {
            let port = address.port().to_string();
            ["-H", "127.0.0.1", "-p", &port].map(str::to_owned).into()
        })
    });
    let name = next("s3");
    let made = exchange(store, &request("PUT", &format!("/{name}"), &[], b"")).unwrap();
    assert!(made.line.contains(" 200 "), "{made:?}");
    let proxy = Proxy::start(store, hook);
    let variables = vec![
        ("AWS_ENDPOINT_URL", proxy.url()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    Bucket { url: format!("s3://{name}/voice/flow"), store, variables, proxy }
}

/// A bucket of GCS behind a proxy with `hook`.
pub fn gcs(hook: impl Hook) -> Bucket {
    static FAKE: OnceLock<SocketAddr> = OnceLock::new();
    let store = *FAKE.get_or_init(|| {
        let address = start("bin/fake-gcs-server", |address| {
            let port = address.port();
            let arguments =
                format!("-scheme http -host 127.0.0.1 -port {port} -public-host 127.0.0.1 -backend memory");
            arguments.split(' ').map(str::to_owned).collect()
        });
        Proxy::start(address, XmlUploads).address
    });
    let name = next("gcs");
    let body = format!(r#"{{"name": "{name}"}}"#);
    let made = request(
        "POST",
        "/storage/v1/b?project=test",
        &[("content-type", "application/json")],
        body.as_bytes(),
    );
    let made = exchange(store, &made).unwrap();
    assert!(made.line.contains(" 200 "), "{made:?}");
    let proxy = Proxy::start(store, hook);
    // An account that asks nobody for a token.
    let account = r#"{"private_key": "", "private_key_id": "", "client_email": "", "disable_oauth": true}"#;
    let variables =
        vec![("GOOGLE_BASE_URL", proxy.url()), ("GOOGLE_SERVICE_ACCOUNT_KEY", account.to_owned())];
    Bucket { url: format!("gs://{name}/voice/flow"), store, variables, proxy }
}

/// fake-gcs-server takes no uploads through its XML interface, and honours conditions of multipart
/// uploads alone: uploads become those of its JSON interface.
struct XmlUploads;

impl Hook for XmlUploads {
    fn request(&self, _n: usize, mut request: Message) -> Option<Message> {
        // By the name of the host it knows that the path begins with the bucket.
        request.set_header("host", "127.0.0.1");
        if !request.is("PUT") {
            return Some(request);
        }
        let path = request.path().split('?').next()?.trim_start_matches('/').to_owned();
        let (bucket, object) = path.split_once('/')?;
        let object = decoded(object);
        let condition = request.header("x-goog-if-generation-match");
        let condition = condition.map_or(String::new(), |value| format!("&ifGenerationMatch={value}"));
        request.line =
            format!("POST /upload/storage/v1/b/{bucket}/o?uploadType=multipart{condition} HTTP/1.1");
        request.set_header("content-type", "multipart/related; boundary=part-of-the-test");
        let part = "--part-of-the-test\r\ncontent-type: application/";
        let mut body = format!("{part}json\r\n\r\n{{\"name\": \"{object}\"}}\r\n{part}octet-stream\r\n\r\n")
            .into_bytes();
        body.extend(&request.body);
        body.extend(b"\r\n--part-of-the-test--\r\n");
        request.set_body(body);
        Some(request)
    }

    fn answer(&self, _n: usize, request: &Message, mut answer: Message) -> Option<Message> {
        if request.path().starts_with("/upload/") && answer.line.contains(" 200 ") {
            let stored: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            let said = |key: &str| {
                stored.get(key).map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
            };
            answer.set_header("etag", &said("etag")?);
            answer.set_header("x-goog-generation", &said("generation")?);
            answer.set_body(Vec::new());
        }
        Some(answer)
    }
}

/// A path whose bytes may stand as `%2F`.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        text.push(u8::from_str_radix(digits, 16).unwrap().into());
        text.push_str(rest);
    }
    text
}

/// Opens the registry of a bucket.
pub fn open(bucket: &Bucket) -> Registry {
    open_with(bucket, PATIENCE)
}

/// The same with other waits.
pub fn open_with(bucket: &Bucket, patience: Patience) -> Registry {
    Registry::open_with(&bucket.url, KEY.trust(), patience, &bucket.variables).unwrap()
}

/// A bucket whose proxy passes everything on.
pub fn plain_s3() -> Bucket {
    s3(Through)
}
