//! Tokens and tenants: who is let in, and for how much.

use std::path::Path;
use std::time::Duration;

use tungstenite::Error;

use crate::streams::Client;
use crate::support::{Answer, Server, conversation, wait_until};

/// SHA-256 of "acme-secret", "acme-live-only" and "other-secret".
const TOKENS: &str = r#"
[[tokens]]
sha256 = "ACME"
tenant = "acme"
scopes = ["diarize", "stream", "voices"]

[[tokens]]
sha256 = "LIVE"
tenant = "acme"
scopes = ["stream"]

[[tokens]]
sha256 = "OTHER"
tenant = "other"
scopes = ["diarize", "stream", "voices"]
"#;

fn sha256(token: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_tokens(path: &Path) {
    let text = TOKENS.replace("ACME", &sha256("acme-secret")).replace("LIVE", &sha256("acme-live-only"));
    std::fs::write(path, text.replace("OTHER", &sha256("other-secret"))).unwrap();
}

/// A server with these tokens and keys.
pub fn start(folder: &Path, keys: &[&str]) -> Server {
    let path = folder.join("tokens.toml");
    write_tokens(&path);
    let tokens = format!("auth.tokens={}", path.display());
    let keys: Vec<&str> = keys.iter().copied().chain([tokens.as_str()]).collect();
    Server::start(&keys)
}

fn diarize(server: &Server, token: &str) -> Answer {
    let head = "POST /v1/audio/diarizations HTTP/1.1\r\nContent-Type: audio/flac\r\nAuthorization: Bearer";
    server.ask(&format!("{head} {token}"), &conversation())
}

pub fn code_of(error: &Error) -> u16 {
    match error {
        Error::Http(response) => response.status().as_u16(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_token_lets_in_for_its_scopes() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["live.capacity=8"]);
    assert_eq!(diarize(&server, "acme-secret").status, 200);
    let refused = server.diarize("", &conversation());
    assert_eq!((refused.error().0, refused.error().1.as_str()), (401, "invalid_token"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(diarize(&server, "wrong").error().0, 401);
    let (status, code, _) = diarize(&server, "acme-live-only").error();
    assert_eq!((status, code.as_str()), (403, "forbidden"));
    // A token in a URL would stand in logs.
    assert_eq!(server.diarize("token=acme-secret", &conversation()).status, 401);
    for open in ["/", "/health", "/ready", "/v1/models"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }

    let bearer = [("authorization", "Bearer acme-live-only")];
    assert!(Client::try_open_with(&server, "", &bearer).is_ok());
    let browser = [("sec-websocket-protocol", "voiceflow, voiceflow.bearer.acme-live-only")];
    assert!(Client::try_open_with(&server, "", &browser).is_ok());
    assert_eq!(code_of(&Client::try_open_with(&server, "", &[]).err().unwrap()), 401);
}

#[test]
fn a_hangup_reads_the_tokens_again_and_keeps_them_where_they_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["live.capacity=8", "log.level=off"]);
    let path = folder.path().join("tokens.toml");
    assert_eq!(diarize(&server, "new-secret").status, 401);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(&sha256("acme-secret"), &sha256("new-secret"))).unwrap();
    server.signal("-HUP");
    wait_until("the tokens are read", || diarize(&server, "new-secret").status == 200);
    assert_eq!(diarize(&server, "acme-secret").status, 401);
    std::fs::write(&path, "nonsense").unwrap();
    server.signal("-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(diarize(&server, "new-secret").status, 200);
}

#[test]
fn a_tenant_has_a_share_of_the_streams_and_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["live.capacity=8"]);
    let open = |token: &str| {
        let bearer = format!("Bearer {token}");
        Client::try_open_with(&server, "", &[("authorization", &bearer)])
    };
    let held: Vec<_> = ["acme-secret", "acme-live-only"].map(|token| open(token).ok().unwrap()).into();
    assert_eq!(code_of(&open("acme-secret").err().unwrap()), 429);
    assert!(open("other-secret").is_ok());
    assert_eq!(server.metric("voiceflow_rejections_total{reason=\"tenant_share\"}"), 1.0);
    drop(held);
}

#[test]
fn a_tenant_asks_so_often_and_not_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["limits.requests_per_s=0.001", "limits.requests_burst=2"]);
    assert_eq!([0, 1].map(|_| diarize(&server, "acme-secret").status), [200, 200]);
    let answer = diarize(&server, "acme-secret");
    assert_eq!((answer.error().0, answer.error().1.as_str()), (429, "rate_limit"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(diarize(&server, "other-secret").status, 200);
}

#[test]
fn a_tenant_has_a_share_of_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let size = conversation().len() as u64;
    let at = format!("limits.spool_bytes={}", 4 * size);
    assert_eq!(diarize(&start(folder.path(), &[&at]), "acme-secret").status, 200);
    let over = format!("limits.spool_bytes={}", 4 * size - 4);
    let refused = diarize(&start(folder.path(), &[&over]), "acme-secret");
    assert_eq!((refused.error().0, refused.error().1.as_str()), (429, "tenant_share"));
}

#[test]
fn a_file_of_tokens_that_is_wrong_stops_the_start_without_what_stands_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    std::fs::write(&path, "[[tokens]]\nsha256 = \"hunter2\"\ntenant = \"a\"\nscopes = []\n").unwrap();
    let mut command = crate::support::program();
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set"]);
    let output = command.arg(format!("auth.tokens={}", path.display())).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("token 1: sha256: expected 64") && !error.contains("hunter2"), "{error}");
}
