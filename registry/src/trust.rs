//! Whose signatures count.

use std::path::Path;

use minisign_verify::{PublicKey, Signature};

use crate::error::{Error, Result};
use crate::files;
use crate::layout::limits;

/// Makes signatures of minisign; who holds a secret key implements it.
pub trait Sign: Sync {
    /// The signature of `bytes`, the text of a .minisig file, with `comment` as its trusted
    /// comment.
    ///
    /// # Errors
    /// Why it cannot be made.
    fn sign(&self, bytes: &[u8], comment: &str) -> std::result::Result<String, String>;
}

/// The public keys whose signatures count. Where there is none, nothing is verified, and only
/// folders can be opened.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    keys: Vec<PublicKey>,
}

impl Trust {
    /// Of these keys, each in base64 or as the path of a file that minisign made.
    ///
    /// # Errors
    /// [`Error::Argument`] for what is neither, [`Error::Io`].
    pub fn of<K: AsRef<str>>(keys: &[K]) -> Result<Self> {
        let keys = keys.iter().map(|key| read_key(key.as_ref())).collect::<Result<_>>()?;
        Ok(Self { keys })
    }

    /// Whether no key is trusted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Verifies the signature of `bytes`, which messages call `place`.
    ///
    /// # Errors
    /// [`Error::Untrusted`] without a signature, and for one of another key or of other bytes.
    pub(crate) fn verify(&self, bytes: &[u8], signature: Option<&[u8]>, place: &str) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let expected = match self.keys.len() {
            1 => "a signature of the trusted key".to_owned(),
            keys => format!("a signature of one of the {keys} trusted keys"),
        };
        let refused = |found: &str| Error::untrusted(place, expected.clone(), found);
        let text = signature.ok_or_else(|| refused("no signature"))?;
        let text = std::str::from_utf8(text).map_err(|_| refused("a signature that is not text"))?;
        let signature =
            Signature::decode(text).map_err(|error| refused(&format!("a damaged signature ({error})")))?;
        let mut of_another_key = true;
        for key in &self.keys {
            match key.verify(bytes, &signature, false) {
                Ok(()) => return Ok(()),
                Err(minisign_verify::Error::UnexpectedKeyId) => {}
                Err(_) => of_another_key = false,
            }
        }
        Err(refused(if of_another_key { "one of another key" } else { "one of other contents" }))
    }
}

fn read_key(text: &str) -> Result<PublicKey> {
    if let Ok(key) = PublicKey::from_base64(text.trim()) {
        return Ok(key);
    }
    let wrong = || Error::argument("trusted key", "a public key of minisign in base64, or its file", text);
    let path = Path::new(text);
    if !path.is_file() {
        return Err(wrong());
    }
    let contents = files::read(path, limits::SIGNATURE_BYTES)?;
    std::str::from_utf8(&contents).ok().and_then(|text| PublicKey::decode(text).ok()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and signature of the documentation of minisign-verify.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1633700835\tfile:test\tprehashed
wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==";

    #[test]
    fn signatures_count_when_a_trusted_key_made_them_for_these_bytes() {
        let trust = Trust::of(&[KEY]).unwrap();
        trust.verify(b"test", Some(SIGNATURE.as_bytes()), "x").unwrap();
        let refused = |bytes: &[u8], signature: Option<&[u8]>| {
            trust.verify(bytes, signature, "place").unwrap_err().to_string()
        };
        let found = |text: String| text.split(", found ").nth(1).unwrap().to_owned();
        assert_eq!(found(refused(b"Test", Some(SIGNATURE.as_bytes()))), "one of other contents");
        assert_eq!(found(refused(b"test", None)), "no signature");
        assert!(refused(b"test", Some(b"\n\n\n\n")).contains("damaged"));
        let other = "RWRVQT2vnSyMWfqRmd2CXqIBOljJr1zBHPTDlHXCoQiS13TIDkHpAz1N";
        if let Ok(other) = Trust::of(&[other]) {
            assert!(other.verify(b"test", Some(SIGNATURE.as_bytes()), "x").is_err());
        }
        Trust::default().verify(b"test", None, "x").unwrap();
        assert!(Trust::of(&["nothing"]).unwrap_err().to_string().contains("trusted key: expected"));
    }
}
