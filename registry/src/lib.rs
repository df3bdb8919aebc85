//! Registry of models: versions that are published once, channels that name one of them, signatures
//! that say by whom, and a cache of what was fetched.
//!
//! ```text
//! folder ──> publish ──> <root>/<name>/<version>/…          one digest names all files of a version
//!                          │ promote, rollback
//!                          v
//!                        <root>/<name>/channels/<channel>.json ──> resolve ──> fetch ──> cache ──> folder
//! ```
//!
//! ```no_run
//! use voiceflow_registry::{Cache, Patience, Registry, Trust};
//!
//! # async fn example() -> voiceflow_registry::Result<()> {
//! let trust = Trust::of(&["RWRVQT2vnSyMWfqRmd2CXqIBOljJr1zBHPTDlHXCoQiS13TIDkHpAz1N"])?;
//! let registry = Registry::open("s3://models/voiceflow", trust, Patience::default())?;
//! let cache = Cache::open("/var/cache/voiceflow", Cache::USUAL_BYTES)?;
//! let found = cache.resolve(&registry, &"fast-cnn@stable".parse()?).await?;
//! if let Some(error) = &found.stale {
//!     log::warn!("going on with what was fetched before: {error}");
//! }
//! // Stays in the cache for as long as this is kept.
//! let bundle = cache.fetch(&registry, &found.resolved).await?;
//! println!("{}", bundle.folder().display());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here knows what a model is: files with names come in and go out. Every call ends within
//! the times of [`Patience`], and takes no more than the limits of [`limits`], whatever the
//! registry answers.

mod cache;
mod channel;
mod checksums;
mod digest;
mod error;
mod files;
mod gc;
mod layout;
mod names;
mod promote;
mod publish;
mod registry;
mod store;
mod trust;

pub use cache::{Bundle, Cache, Found};
pub use channel::Channel;
pub use checksums::Checksums;
pub use digest::Digest;
pub use error::{Error, Result};
pub use gc::{Keep, Removal};
pub use layout::limits;
pub use names::{ChannelName, ModelName, Reference, Resolved, Target};
pub use promote::Move;
pub use publish::{Published, Staged};
pub use registry::{Registry, VersionInfo};
pub use semver::Version;
pub use store::Patience;
pub use trust::{Sign, Trust};
