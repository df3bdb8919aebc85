//! Pages of other sites: a browser sends their requests with whatever lets its user in, to a server
//! on the user's own machine too.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use super::error::ApiError;

/// Refuses a page of another site, whose visitor would pay with the microphone or the machine.
///
/// # Errors
/// 403.
pub fn check(headers: &HeaderMap, allowed: &[String]) -> Result<(), ApiError> {
    // Programs send none.
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = origin.split_once("://").is_some_and(|(_, of_origin)| !host.is_empty() && of_origin == host);
    match own || allowed.iter().any(|allowed| allowed == origin) {
        true => Ok(()),
        false => Err(ApiError::forbidden("Origin: expected this server's own page or one of live.origins")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_are_refused() {
        let check = |origin: &'static str, allowed: &[&str]| {
            let headers = [(HOST, "a.example:8080".parse().unwrap()), (ORIGIN, origin.parse().unwrap())];
            let allowed: Vec<String> = allowed.iter().map(|&allowed| allowed.to_owned()).collect();
            check(&HeaderMap::from_iter(headers), &allowed).is_ok()
        };
        assert!(super::check(&HeaderMap::new(), &[]).is_ok());
        assert!(check("http://a.example:8080", &[]) && check("https://a.example:8080", &[]));
        for other in ["http://a.example", "http://b.example:8080", "null", "", "http://a.example:8080.evil"] {
            assert!(!check(other, &[]), "{other}");
        }
        assert!(check("https://b.example", &["https://b.example"]));
        assert!(!check("http://b.example", &["https://b.example"]));
    }
}
