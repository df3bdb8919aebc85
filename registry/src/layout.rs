//! Where things lie in a registry, and how large they may be.

use semver::Version;

use crate::digest::Digest;
use crate::names::{CHANNELS, ChannelName, ModelName};

/// The most that is taken, of registries, caches and folders alike.
pub mod limits {
    /// Files of one version.
    pub const FILES: usize = 64;
    /// Bytes of one file.
    pub const FILE_BYTES: u64 = 2 << 30;
    /// Bytes of one version.
    pub const VERSION_BYTES: u64 = 4 << 30;
    /// Bytes of a file that is read as a whole for what it says: metadata.json,
    /// validation_report.json.
    pub const JSON_BYTES: u64 = 4 << 20;
    /// Bytes of checksum.sha256.
    pub const CHECKSUM_BYTES: u64 = 64 << 10;
    /// Bytes of a channel's file.
    pub const CHANNEL_BYTES: u64 = 16 << 10;
    /// Bytes of a signature, and of a file with a public key.
    pub const SIGNATURE_BYTES: u64 = 4 << 10;
    /// Objects of one model that are listed.
    pub const OBJECTS: usize = 100_000;
}

/// What names and covers all other files of a version.
pub(crate) const CHECKSUMS: &str = "checksum.sha256";
/// The signature of [`CHECKSUMS`].
pub(crate) const CHECKSUMS_SIGNATURE: &str = "checksum.sha256.minisig";
/// Written last: its presence makes the version.
pub(crate) const METADATA: &str = "metadata.json";

/// A file of a version.
pub(crate) fn version_file(name: &ModelName, version: &Version, file: &str) -> String {
    format!("{name}/{version}/{file}")
}

/// The file that says which version a channel names.
pub(crate) fn channel_file(name: &ModelName, channel: &ChannelName) -> String {
    format!("{name}/{CHANNELS}/{channel}.json")
}

/// The signature beside it, where the tools of others look for it.
pub(crate) fn channel_signature(name: &ModelName, channel: &ChannelName) -> String {
    format!("{name}/{CHANNELS}/{channel}.json.minisig")
}

/// The signature of the channel's file with these contents. It is there before the file is: a file
/// and its signature cannot be replaced at one moment, and whoever replaces them can be killed in
/// between.
pub(crate) fn signature_of_contents(name: &ModelName, channel: &ChannelName, contents: &Digest) -> String {
    format!("{name}/{CHANNELS}/{channel}.{contents}.minisig")
}
