//! Who asks: everybody, or the tenant of a token or of a client's certificate. Tokens are kept as
//! their SHA-256 alone.

mod tokens;

use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use tokens::Tokens;

/// What a token allows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Recordings.
    Diarize,
    /// Live streams.
    Stream,
    /// Known voices: enrolling, listing, renaming, removing, and whose voice a recording has.
    Voices,
}

/// Whose request it is. Tenants share nothing but the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant(Option<Arc<str>>);

impl Tenant {
    /// Everybody, where nobody needs a token.
    pub const ANONYMOUS: Self = Self(None);

    /// The tenant of this name.
    pub fn named(name: &str) -> Self {
        Self(Some(name.into()))
    }

    /// For logs.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether others share the machine with this tenant by tokens.
    pub fn is_named(&self) -> bool {
        self.0.is_some()
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refused {
    /// No token, an unknown one, or one that has expired: which of them is not told.
    Token,
    /// A token for something else.
    Scope,
    /// No certificate, or one without a name.
    Certificate,
}

/// Lets in whoever may ask.
pub struct Auth {
    /// `None` where nobody needs a token.
    tokens: Option<RwLock<Tokens>>,
    /// Whether clients have certificates.
    certificates: bool,
}

impl Auth {
    /// Everybody, or whoever has a token of `file` or, with `certificates`, a certificate.
    ///
    /// # Errors
    /// What is wrong with the file, with its name.
    pub fn new(file: Option<&Path>, certificates: bool) -> Result<Self, String> {
        let tokens = file.map(Tokens::read).transpose()?;
        Ok(Self { tokens: tokens.map(RwLock::new), certificates })
    }

    /// Reads the file again; where something is wrong with it, the tokens stay as they are.
    ///
    /// # Errors
    /// What is wrong with the file, with its name.
    pub fn reload(&self, file: Option<&Path>) -> Result<(), String> {
        if let (Some(tokens), Some(file)) = (&self.tokens, file) {
            let read = Tokens::read(file)?;
            *tokens.write() = read;
        }
        Ok(())
    }

    /// The tenant of a token that is allowed `scope`, or that which `certificate` names, which is
    /// allowed everything. A token goes before a certificate.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn tenant(
        &self,
        token: Option<&str>,
        certificate: Option<&str>,
        scope: Scope,
    ) -> Result<Tenant, Refused> {
        match (&self.tokens, token, certificate) {
            (None, ..) if !self.certificates => Ok(Tenant::ANONYMOUS),
            (None, _, certificate) => certificate.map(Tenant::named).ok_or(Refused::Certificate),
            (Some(_), None, Some(name)) => Ok(Tenant::named(name)),
            (Some(tokens), token, _) => {
                let tokens = tokens.read();
                let found = token.and_then(|token| tokens.find(token)).ok_or(Refused::Token)?;
                let allowed = found.scopes.contains(&scope);
                if allowed { Ok(Tenant::named(&found.tenant)) } else { Err(Refused::Scope) }
            }
        }
    }
}
