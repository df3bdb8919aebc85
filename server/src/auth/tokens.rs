//! The file of tokens.
//!
//! ```toml
//! [[tokens]]
//! sha256 = "…"                      # of the token, as `printf %s "$TOKEN" | sha256sum` gives it
//! tenant = "acme"
//! scopes = ["diarize", "stream"]
//! expires_at = 1798761600           # in seconds since 1970; never without it
//! ```

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Scope;

/// Bytes of a SHA-256.
const DIGEST_BYTES: usize = 32;

/// The tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<(Token, [u8; DIGEST_BYTES])>,
}

/// What a token allows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    sha256: String,
    pub(super) tenant: String,
    pub(super) scopes: Vec<Scope>,
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Token>,
}

impl Tokens {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What is wrong with it, with its name; never what stands in it.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let named = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
        Self::parse(&text).map_err(|reason| named(&reason))
    }

    fn parse(text: &str) -> Result<Self, String> {
        // Its own display shows the line, which may hold a token by mistake.
        let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let digest = |(index, token): (usize, Token)| {
            let digest = from_hex(&token.sha256);
            let expected = "expected 64 hexadecimal digits, got something else";
            let digest = digest.ok_or_else(|| format!("token {}: sha256: {expected}", index + 1))?;
            Ok((token, digest))
        };
        Ok(Self { tokens: file.tokens.into_iter().enumerate().map(digest).collect::<Result<_, String>>()? })
    }

    /// The entry of `token`, unless it has expired. All are compared, each in constant time.
    pub(super) fn find(&self, token: &str) -> Option<&Token> {
        let given = Sha256::digest(token.as_bytes());
        let mut found = None;
        for (token, digest) in &self.tokens {
            if bool::from(digest.as_slice().ct_eq(given.as_slice())) {
                found = Some(token);
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs());
        found.filter(|token| token.expires_at.is_none_or(|end| now < end))
    }
}

fn from_hex(text: &str) -> Option<[u8; DIGEST_BYTES]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 2 * DIGEST_BYTES { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of "secret".
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn tokens(rest: &str) -> Result<Tokens, String> {
        Tokens::parse(&format!(
            "[[tokens]]\nsha256 = \"{SECRET}\"\ntenant = \"acme\"\nscopes = [\"stream\"]\n{rest}"
        ))
    }

    #[test]
    fn tokens_are_found_until_they_expire() {
        let found = tokens("").unwrap();
        let token = found.find("secret").unwrap();
        assert_eq!((token.tenant.as_str(), token.scopes.as_slice()), ("acme", &[Scope::Stream][..]));
        assert!(found.find("Secret").is_none() && found.find("").is_none());
        assert!(tokens("expires_at = 4102444800").unwrap().find("secret").is_some());
        assert!(tokens("expires_at = 1").unwrap().find("secret").is_none());
    }

    #[test]
    fn mistakes_are_named_without_what_stands_there() {
        let error = tokens("[[tokens]]\nsha256 = \"hunter2\"\ntenant = \"b\"\nscopes = []").unwrap_err();
        assert_eq!(error, "token 2: sha256: expected 64 hexadecimal digits, got something else");
        let error = tokens("token = \"hunter2\"").unwrap_err();
        assert!(error.contains("unknown field `token`") && !error.contains("hunter2"), "{error}");
        assert!(tokens("[[tokens]]\nsha256 = \"\"\ntenant = \"b\"\nscopes = [\"everything\"]").is_err());
    }
}
