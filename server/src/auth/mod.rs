//! Who asks: everybody, or the tenant of a token. Tokens are kept as their SHA-256 alone.

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
}

/// Lets in whoever may ask.
pub struct Auth {
    /// `None` where nobody needs a token.
    tokens: Option<RwLock<Tokens>>,
}

impl Auth {
    /// Everybody, or whoever has a token of `file`.
    ///
    /// # Errors
    /// What is wrong with the file, with its name.
    pub fn new(file: Option<&Path>) -> Result<Self, String> {
        let tokens = file.map(Tokens::read).transpose()?;
        Ok(Self { tokens: tokens.map(RwLock::new) })
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

    /// The tenant of a token that is allowed `scope`.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn tenant(&self, token: Option<&str>, scope: Scope) -> Result<Tenant, Refused> {
        let Some(tokens) = &self.tokens else { return Ok(Tenant::ANONYMOUS) };
        let tokens = tokens.read();
        let found = token.and_then(|token| tokens.find(token)).ok_or(Refused::Token)?;
        if !found.scopes.contains(&scope) {
            return Err(Refused::Scope);
        }
        Ok(Tenant::named(&found.tenant))
    }
}
