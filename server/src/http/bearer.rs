//! Where a token stands in a request: in the header `Authorization`, or, as browsers cannot set
//! that for a WebSocket, in the subprotocol `voiceflow.bearer.<token>`. Never in a URL, which is
//! logged.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};

/// What the subprotocol with a token begins with.
const PROTOCOL: &str = "voiceflow.bearer.";

/// The token of a request.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token of a WebSocket.
pub fn websocket_token(headers: &HeaderMap) -> Option<&str> {
    let protocols = || headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let of_protocol =
        || protocols().flat_map(|list| list.split(',')).find_map(|name| name.trim().strip_prefix(PROTOCOL));
    token(headers).or_else(of_protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_in_two_places() {
        let headers = |name, value: &'static str| HeaderMap::from_iter([(name, value.parse().unwrap())]);
        for value in ["Bearer abc", "bearer  abc "] {
            assert_eq!(token(&headers(AUTHORIZATION, value)), Some("abc"));
        }
        for value in ["abc", "Basic abc", ""] {
            assert_eq!(token(&headers(AUTHORIZATION, value)), None, "{value}");
        }
        let protocol = headers(SEC_WEBSOCKET_PROTOCOL, "voiceflow, voiceflow.bearer.abc");
        assert_eq!((websocket_token(&protocol), token(&protocol)), (Some("abc"), None));
        assert_eq!(websocket_token(&headers(AUTHORIZATION, "Bearer abc")), Some("abc"));
        assert_eq!(websocket_token(&headers(SEC_WEBSOCKET_PROTOCOL, "voiceflow")), None);
    }
}
