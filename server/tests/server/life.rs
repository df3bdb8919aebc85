//! How the server starts and ends.

use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;
use std::thread::scope;
use std::time::Duration;

use crate::support::{Answer, Server, conversation, program, wait_until};

/// How the program ends with these arguments, and what it says.
fn said(arguments: &[&str]) -> (i32, String, String) {
    let output = program().args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let (code, _, error) = said(&["--set", "limits.uploads=1"]);
    assert!(code == 2 && error.contains("unknown field `uploads`"), "{code}: {error}");
    let (code, out, _) = said(&["--check-config", "--set", "batch.waiting=7", "--listen", "127.0.0.1:0"]);
    assert!(
        code == 0 && out.contains("waiting = 7") && out.contains("address = \"127.0.0.1:0\""),
        "{code}: {out}"
    );
    let (code, _, error) = said(&["--listen", "0.0.0.0:0"]);
    assert!(code == 2 && error.contains("--insecure-listen"), "{code}: {error}");
}

#[test]
fn a_start_that_fails_says_why() {
    let server = Server::spawn(&[]);
    let taken = server.address.to_string();
    let (code, _, error) = said(&["--listen", &taken]);
    assert!(code == 1 && error.contains(&taken), "{code}: {error}");
    let arguments =
        ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "model.bundle=/nowhere"];
    let (code, _, error) = said(&arguments);
    assert!(code == 1 && error.contains("/nowhere"), "{code}: {error}");
}

#[test]
fn whether_a_server_lives_is_asked_by_its_own_program() {
    let mut server = Server::start(&["drain.delay_s=0"]);
    let admin = server.admin.to_string();
    let ask = || said(&["--health", "--admin-listen", &admin]);
    let (code, out, error) = ask();
    assert!(code == 0 && out.is_empty() && error.is_empty(), "{code}: {out}{error}");
    server.signal("-TERM");
    assert_eq!(server.ended(), 0);
    let (code, _, error) = ask();
    assert!(code == 1 && error.contains(&admin), "{code}: {error}");
    // The public address of a server with TLS, or another program's, is none that says so.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let talks = std::thread::spawn(move || {
        let (mut socket, _) = other.accept().unwrap();
        socket.write_all(b"220 mail\r\n").unwrap();
    });
    let (code, _, error) = said(&["--health", "--admin-listen", &address]);
    talks.join().unwrap();
    let expected = format!("{address}: ");
    assert!(code == 1 && error.contains(&expected), "{code}: {error}");
}

#[test]
fn a_server_without_work_drains_at_once() {
    let mut server = Server::start(&["drain.delay_s=0"]);
    server.signal("-TERM");
    assert_eq!(server.ended(), 0);
}

#[test]
fn a_recording_under_way_is_answered_after_the_signal() {
    let mut server = Server::start(&["drain.delay_s=0"]);
    let recording = conversation();
    // The answer is due when the last byte has come.
    let (most, last) = recording.split_at(recording.len() - 1);
    let mut socket = server.begin(recording.len());
    socket.write_all(most).unwrap();
    server.signal("-TERM");
    wait_until("nobody new is let in", || TcpStream::connect(server.address).is_err());
    socket.write_all(last).unwrap();
    assert_eq!(Answer::read(&mut socket).status, 200);
    assert_eq!(server.ended(), 0);
}

#[test]
fn nothing_new_is_let_in_before_a_second_signal_cuts_off() {
    let mut server = Server::start(&["drain.delay_s=3600"]);
    let _under_way = server.begin(9);
    server.signal("-TERM");
    wait_until("the server drains", || server.get("/ready").status == 503);
    assert_eq!(server.get("/ready").json()["reasons"][0], "draining");
    let (status, code, _) = server.diarize("", &conversation()).error();
    assert_eq!((status, code.as_str()), (503, "draining"));
    assert_eq!(server.metric("voiceflow_draining"), 1.0);
    server.signal("-INT");
    assert_eq!(server.ended(), 3);
}

#[test]
fn a_drain_that_runs_out_of_time_cuts_off() {
    let mut server = Server::start(&["drain.delay_s=0", "drain.length_s=0.5"]);
    let _under_way = server.begin(9);
    server.signal("-TERM");
    assert_eq!(server.ended(), 3);
}

#[test]
fn each_request_is_a_line_of_the_log() {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "drain.delay_s=0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    // What is wrong with a recording is no error of the server.
    let head = "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let status = || {
        std::thread::sleep(Duration::from_millis(100));
        let mut socket = std::net::TcpStream::connect(&address).unwrap();
        socket.write_all(head.as_bytes()).unwrap();
        Answer::read(&mut socket).status
    };
    // Until the models are there, it answers 503.
    assert_eq!((0..).map(|_| status()).find(|status| *status != 503), Some(400));
    let mut socket = std::net::TcpStream::connect(&address).unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let head = format!(
        "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: call-4711\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\n\
         Connection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut socket).header("x-request-id"), Some("call-4711"));
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stderr).unwrap();
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.iter().all(|record| record["level"] != "ERROR"), "{text}");
    let of_request: Vec<_> = records.iter().filter(|record| record["message"] == "request").collect();
    let [.., of_empty, record] = of_request[..] else { panic!("{text}") };
    assert_eq!(
        (of_empty["route"].as_str(), of_empty["status"].as_u64()),
        (Some("/v1/diarizations"), Some(400))
    );
    assert_eq!(
        (record["request_id"].as_str(), record["trace_id"].as_str()),
        (Some("call-4711"), Some(trace))
    );
    assert_eq!((record["route"].as_str(), record["status"].as_u64()), (Some("/health"), Some(200)));
}

#[test]
fn threads_share_the_arenas_of_the_allocator() {
    let server = Server::start(&[]);
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(server.diarize("", &conversation()).status, 200));
        }
    });
    // Heaps of the GNU C library's arenas, but for the first one's, begin at multiples of this.
    let alignment = 64 << 20;
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.process_id())).unwrap();
    let heaps = maps.lines().filter(|line| {
        let (range, rest) = line.split_once(' ').unwrap();
        let [start, end] =
            [0, 1].map(|at| u64::from_str_radix(range.split('-').nth(at).unwrap(), 16).unwrap());
        let is_anonymous =
            rest.split_whitespace().nth(3) == Some("0") && rest.split_whitespace().count() == 4;
        is_anonymous && rest.starts_with("rw-p") && start % alignment == 0 && end - start <= alignment
    });
    let (heaps, cores) = (heaps.count(), std::thread::available_parallelism().unwrap().get());
    assert!(heaps <= 2 * cores, "{heaps} heaps on {cores} cores");
}
