//! What the program carries with it: the page and the description of the interface.

use crate::support::Server;

#[test]
fn the_page_is_whole_and_takes_nothing_from_elsewhere() {
    let server = Server::start(&["live.capacity=1"]);
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/worklet.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        assert!(
            answer.header("content-security-policy").unwrap().starts_with("default-src 'self';"),
            "{path}"
        );
        let text = answer.text();
        assert!(!text.is_empty() && !text.contains("http://") && !text.contains("https://"), "{path}");
    }
}

#[test]
fn the_description_names_what_there_is() {
    let server = Server::start(&["live.capacity=1"]);
    let answer = server.get("/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let document = answer.json();
    assert_eq!(
        (document["openapi"].as_str(), document["info"]["version"].as_str()),
        (Some("3.1.0"), Some(env!("CARGO_PKG_VERSION")))
    );
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 6);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            if method == "parameters" {
                continue;
            }
            let path = path.replace("{name}", "fast-cnn").replace("{gallery}", "team");
            let request = format!("{} {path} HTTP/1.1", method.to_uppercase());
            let answer = server.ask(&request, b"");
            let code = if answer.status < 400 { String::new() } else { answer.error().1 };
            assert!(code != "not_found" && code != "method_not_allowed", "{request}: {code}");
        }
    }
}
