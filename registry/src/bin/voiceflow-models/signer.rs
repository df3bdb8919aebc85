//! Signatures by a secret key of minisign.

use std::ops::Range;
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use clap::Args;
use minisign::{SecretKey, SecretKeyBox};
use voiceflow_registry::Sign;

use crate::exit::Failure;

/// Bytes of a secret key.
const KEY_BYTES: usize = 158;
/// Where it says by what it is locked; zeros where by nothing. What stands before is its algorithm.
const LOCKED: Range<usize> = 2..4;
/// Where its number and the key itself are. What stands behind is the checksum of both and the
/// algorithm.
const CHECKED: Range<usize> = 54..126;

/// Arguments of the commands that write.
#[derive(Args)]
pub struct SignArgs {
    /// Secret key of minisign, as `minisign -G` makes it. Its password is that of the variable
    /// VOICEFLOW_SIGNING_PASSWORD, or is asked for
    #[arg(long, value_name = "FILE", env = "VOICEFLOW_SIGNING_KEY")]
    sign: Option<PathBuf>,
}

/// A secret key.
pub struct Signer(SecretKey);

impl SignArgs {
    /// The key, if there is one.
    pub fn signer(&self) -> Result<Option<Signer>, Failure> {
        let Some(path) = &self.sign else { return Ok(None) };
        let wrong = |reason: String| Failure::Usage(format!("--sign {}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        if let Some(key) = without_password(&text) {
            return Ok(Some(Signer(key)));
        }
        let boxed = SecretKeyBox::from_string(&text).map_err(|error| wrong(error.to_string()))?;
        let password = std::env::var("VOICEFLOW_SIGNING_PASSWORD").ok();
        let key = boxed.into_secret_key(password).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Signer(key)))
    }
}

/// The key of a file without a password. The tool `minisign` leaves out its checksum, without which
/// the crate `minisign` takes it for a locked one.
fn without_password(text: &str) -> Option<SecretKey> {
    let mut bytes = BASE64_STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    if bytes.len() != KEY_BYTES || bytes.get(LOCKED)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut hash = Blake2b::<U32>::new();
    hash.update(bytes.get(..LOCKED.start)?);
    hash.update(bytes.get(CHECKED)?);
    let checksum = hash.finalize();
    let place = bytes.get_mut(CHECKED.end..)?;
    if place.iter().any(|byte| *byte != 0) && *place != *checksum {
        return None;
    }
    place.copy_from_slice(&checksum);
    SecretKey::from_bytes(&bytes).ok()
}

impl Sign for Signer {
    fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, String> {
        let signed =
            minisign::sign(None, &self.0, bytes, Some(comment), Some("signature of voiceflow-models"));
        signed.map(|signature| signature.into_string()).map_err(|error| error.to_string())
    }
}

/// The key as the library takes it.
pub fn as_sign(signer: Option<&Signer>) -> Option<&dyn Sign> {
    signer.map(|signer| signer as &dyn Sign)
}
