//! Traces, as a collector of OpenTelemetry receives them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::streams::Client;
use crate::support::{PATIENCE, Server, conversation, program};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector that answers each request with `status`: its address, and the paths and spans that
/// come.
fn collector(status: u16) -> (String, Receiver<(String, ExportTraceServiceRequest)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = BufReader::new(socket.unwrap());
            let (mut first, mut length) = (String::new(), 0);
            socket.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                socket.read_line(&mut line).unwrap();
                let line = line.trim_end().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                if let Some(value) = line.strip_prefix("content-type: ") {
                    assert_eq!(value, "application/x-protobuf");
                }
            }
            let mut body = vec![0; length];
            socket.read_exact(&mut body).unwrap();
            let sent = ExportTraceServiceRequest::decode(&body[..]).unwrap();
            // Before the answer: who has it may end at once.
            if send.send((first.trim_end().to_owned(), sent)).is_err() {
                return;
            }
            let answer = format!("HTTP/1.1 {status} It is\r\nContent-Length: 0\r\n\r\n");
            socket.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, receive)
}

/// All spans, once `enough` of them have come.
fn spans(
    received: &Receiver<(String, ExportTraceServiceRequest)>,
    enough: impl Fn(&[Span]) -> bool,
) -> Vec<Span> {
    let (began, mut spans) = (Instant::now(), Vec::new());
    while !enough(&spans) {
        assert!(began.elapsed() < PATIENCE, "{spans:?}");
        let (first, sent) = match received.recv_timeout(Duration::from_secs(1)) {
            Ok(sent) => sent,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => panic!("the collector ended"),
        };
        assert_eq!(first, "POST /v1/traces HTTP/1.1");
        for resource in sent.resource_spans {
            let about = resource.resource.unwrap();
            let service = about.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
            let Some(Value::StringValue(service)) = &service.value.as_ref().unwrap().value else { panic!() };
            assert_eq!(service, "voiceflow-server");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    spans
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:?}"))
}

fn has(spans: &[Span], names: &[&str]) -> bool {
    names.iter().all(|name| spans.iter().any(|span| span.name == *name))
}

fn value<'a>(span: &'a Span, key: &str) -> &'a Value {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key);
    attribute.unwrap_or_else(|| panic!("{key}: {span:?}")).value.as_ref().unwrap().value.as_ref().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_recording_is_a_trace_with_what_it_waited_for_and_what_was_done() {
    let (address, received) = collector(200);
    let server = Server::start(&[&format!("traces.collector={address}")]);
    let head = format!(
        "POST /v1/audio/diarizations?response_format=rttm HTTP/1.1\r\nX-Request-Id: call-1\r\n\
         Content-Type: audio/flac\r\nTraceparent: 00-{TRACE}-{PARENT}-01"
    );
    assert_eq!(server.ask(&head, &conversation()).status, 200);
    let route = "POST /v1/audio/diarizations";
    let spans = spans(&received, |spans| has(spans, &[route, "upload", "queue", "diarize"]));
    let request = named(&spans, route);
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(value(request, "http.response.status_code"), &Value::IntValue(200));
    assert_eq!(value(request, "http.route"), &Value::StringValue("/v1/audio/diarizations".to_owned()));
    assert_eq!(value(request, "voiceflow.request_id"), &Value::StringValue("call-1".to_owned()));
    let mut end = request.start_time_unix_nano;
    for name in ["upload", "queue", "diarize"] {
        let part = named(&spans, name);
        assert_eq!((&part.trace_id, &part.parent_span_id), (&request.trace_id, &request.span_id), "{name}");
        assert!(part.start_time_unix_nano >= end, "{name} begins before what comes before it has ended");
        end = part.end_time_unix_nano;
    }
    assert!(end <= request.end_time_unix_nano);
    let Value::DoubleValue(seconds) = value(named(&spans, "diarize"), "voiceflow.audio_s") else { panic!() };
    assert!((seconds - 52.5).abs() < 0.1, "{seconds}");
}

#[test]
fn a_stream_and_a_refusal_have_spans_and_who_is_not_sampled_has_none() {
    let (address, received) = collector(200);
    let server = Server::start(&[&format!("traces.collector={address}")]);
    let unsampled = format!("GET /v1/models HTTP/1.1\r\nTraceparent: 00-{TRACE}-{PARENT}-00");
    assert_eq!(server.ask(&unsampled, b"").status, 200);
    assert_eq!(server.get("/v1/models/none").status, 404);
    drop(Client::open(&server, ""));
    let spans = spans(&received, |spans| has(spans, &["GET /v1/models/{*name}", "stream"]));
    let refused = named(&spans, "GET /v1/models/{*name}");
    assert_eq!(value(refused, "error.type"), &Value::StringValue("model_not_found".to_owned()));
    let (upgraded, stream) = (named(&spans, "GET /v1/audio/diarizations/stream"), named(&spans, "stream"));
    assert_eq!(stream.parent_span_id, upgraded.span_id);
    assert_eq!(value(stream, "voiceflow.outcome"), &Value::StringValue("gone".to_owned()));
    assert!(spans.iter().all(|span| span.name != "GET /v1/models"));
}

#[test]
fn the_last_spans_are_sent_when_the_server_ends() {
    let (address, received) = collector(200);
    let mut server = Server::start(&[&format!("traces.collector={address}")]);
    assert_eq!(server.get("/v1/models").status, 200);
    server.signal("-TERM");
    assert_eq!(server.ended(), 0);
    let last: Vec<_> = received.try_iter().collect();
    assert!(last.iter().any(|(_, sent)| format!("{sent:?}").contains("GET /v1/models")), "{last:?}");
}

#[test]
fn a_collector_that_refuses_or_is_not_there_keeps_nobody_waiting() {
    let (refusing, _received) = collector(503);
    for address in [refusing.as_str(), "http://127.0.0.1:1"] {
        let mut server = Server::start(&[&format!("traces.collector={address}")]);
        assert_eq!(server.get("/v1/models").status, 200);
        server.signal("-TERM");
        assert_eq!(server.ended(), 0, "{address}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_at_the_start() {
    let mut command = program();
    let out = command.args(["--set", "traces.collector=https://127.0.0.1:4318"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(text.contains("traces.collector: expected http://HOST:PORT, got https://"), "{text}");
}
