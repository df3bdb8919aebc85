//! Which store a URL means.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};

use super::{Patience, Store, causes};
use crate::error::{Error, Result};

/// How often a request is made again that failed for a reason that may pass.
const RETRIES: usize = 3;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

const EXPECTED: &str = "a folder, file:///FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX";

impl Store {
    /// Opens the store of a URL; nothing is asked of it yet. Credentials and endpoints are those
    /// that the variables of the cloud's own tools name, unless `settings` has others.
    ///
    /// # Errors
    /// [`Error::Argument`] for a URL that names none.
    pub(crate) fn open(url: &str, patience: Patience, settings: &[(String, &str)]) -> Result<Self> {
        let wrong = || Error::argument("registry", EXPECTED, url);
        match url.split_once("://") {
            None if url.is_empty() => Err(wrong()),
            None => Self::folder(Path::new(url), patience),
            Some(("file", path)) if path.starts_with('/') => Self::folder(Path::new(path), patience),
            Some((scheme @ ("s3" | "gs"), rest)) => {
                let rest = rest.trim_end_matches('/');
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                // What comes before an `@` is a password, and none may stand in messages.
                let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                if bucket.is_empty() || !bucket.bytes().all(named) {
                    return Err(Error::argument("registry", EXPECTED, format!("{scheme}://…")));
                }
                let root = Key::parse(prefix).map_err(|_| wrong())?;
                let url = format!("{scheme}://{rest}");
                let objects = bucket_of(&url, scheme, bucket, patience, settings)?;
                Ok(Self { objects, folder: None, root, url, patience })
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A folder, which is made when something is written to it.
    fn folder(path: &Path, patience: Patience) -> Result<Self> {
        let failed = |error| Error::io(path, std::io::Error::other(error));
        let folder: PathBuf =
            std::path::absolute(path).map_err(|error| Error::io(path, error))?.components().collect();
        let root = Key::from_absolute_path(&folder).map_err(failed)?;
        Ok(Self {
            objects: Arc::new(LocalFileSystem::new().with_fsync(true)),
            url: folder.display().to_string(),
            folder: Some(folder.into()),
            root,
            patience,
        })
    }
}

/// The bucket of a cloud.
fn bucket_of(
    url: &str,
    scheme: &str,
    bucket: &str,
    patience: Patience,
    settings: &[(String, &str)],
) -> Result<Arc<dyn ObjectStore>> {
    // Another choice of the process stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry =
        RetryConfig { max_retries: RETRIES, retry_timeout: patience.answer, ..RetryConfig::default() };
    let time = |time: Duration| format!("{} ms", time.as_millis());
    let times = [
        (ClientConfigKey::ConnectTimeout, time(CONNECT.min(patience.answer))),
        (ClientConfigKey::ReadTimeout, time(patience.answer)),
        (ClientConfigKey::Timeout, time(patience.transfer)),
    ];
    let wrong = |error: object_store::Error| Error::Argument {
        what: "registry",
        expected: format!("settings of the environment by which {url} can be opened"),
        found: causes(&error),
    };
    if scheme == "s3" {
        let mut builder = AmazonS3Builder::from_env();
        for (key, value) in settings {
            builder = builder.with_config(key.parse().map_err(wrong)?, *value);
        }
        for (key, value) in times {
            builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
        }
        let builder = builder.with_conditional_put(S3ConditionalPut::ETagMatch).with_retry(retry);
        return Ok(Arc::new(builder.with_bucket_name(bucket).build().map_err(wrong)?));
    }
    let mut builder = GoogleCloudStorageBuilder::from_env();
    for (key, value) in settings {
        builder = builder.with_config(key.parse().map_err(wrong)?, *value);
    }
    for (key, value) in times {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    Ok(Arc::new(builder.with_bucket_name(bucket).with_retry(retry).build().map_err(wrong)?))
}
