//! Where bundles come from: folders, and a registry, whose versions are kept in a cache. Where the
//! registry does not answer, what it said last holds.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use voiceflow::model::find_bundle;
use voiceflow_registry::{Bundle, Cache, Found, Patience, Reference, Registry, Resolved, Trust};

use super::source::{Look, Source, look_of};
use crate::config;

/// What is in names of the registry alone.
const AT: char = '@';

/// Why there is no bundle of a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfound {
    /// Nobody knows it, or it cannot be read.
    Unresolved(String),
    /// The registry has it and does not give it.
    Unfetched(String),
}

/// All places of bundles.
pub struct Shelf {
    remote: Option<Remote>,
}

struct Remote {
    registry: Registry,
    cache: Cache,
    /// Asks over the network for threads that wait.
    handle: Handle,
}

/// What a look at a bundle finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// What it looks like; nothing where there is none.
    pub look: Look,
    /// Whether it is so now: not where the registry's last word holds, or nobody knows.
    pub is_certain: bool,
}

/// A version of the registry that is kept in the cache as long as this is there.
pub(super) type Held = Arc<Bundle>;

impl fmt::Display for Unfound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Unfound::Unresolved(reason) | Unfound::Unfetched(reason)) = self;
        formatter.write_str(reason)
    }
}

impl Shelf {
    /// Folders, and the registry of the configuration, of which nothing is asked yet. In a runtime.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn open(config: &config::Registry) -> Result<Self, String> {
        let (Some(url), Some(folder)) = (&config.url, &config.cache) else {
            return Ok(Self { remote: None });
        };
        let open = || {
            let trust = Trust::of(&config.keys)?;
            let answer = Duration::from_secs_f64(config.timeout_s);
            let patience = Patience { answer, ..Patience::default() };
            let registry = Registry::open(url, trust, patience)?;
            let cache = Cache::open(folder, config.cache_bytes)?;
            Ok(Remote { registry, cache, handle: Handle::current() })
        };
        let opened = open().map_err(|error: voiceflow_registry::Error| format!("registry: {error}"));
        Ok(Self { remote: Some(opened?) })
    }

    /// Finds the bundle of this name, and reads what it holds. Blocks.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find(&self, name: Option<&str>) -> Result<Source, Unfound> {
        let unresolved = |error: voiceflow::Error| Unfound::Unresolved(error.to_string());
        if let Some(reference) = of_registry(name) {
            let remote = self.remote()?;
            let resolved = remote.resolve(reference).map_err(Unfound::Unresolved)?.resolved;
            let fetch = remote.cache.fetch(&remote.registry, &resolved);
            let held =
                remote.handle.block_on(fetch).map_err(|error| Unfound::Unfetched(error.to_string()))?;
            let (look, folder) = (said(&resolved), held.folder().to_owned());
            return Source::read(name, Some(folder), look, Some(Arc::new(held))).map_err(unresolved);
        }
        let folder = locate(name).map_err(unresolved)?;
        let look = folder.as_deref().map(look_of).unwrap_or_default();
        Source::read(name, folder, look, None).map_err(unresolved)
    }

    /// What the bundle of this name looks like at the moment. Blocks.
    pub fn look_at(&self, name: Option<&str>) -> Seen {
        if let Some(reference) = of_registry(name) {
            let found = self.remote().ok().and_then(|remote| remote.resolve(reference).ok());
            let seen = |found: Found| Seen { look: said(&found.resolved), is_certain: found.stale.is_none() };
            return found.map(seen).unwrap_or_default();
        }
        let seen = |folder: Option<PathBuf>| Seen {
            look: folder.map(|folder| look_of(&folder)).unwrap_or_default(),
            is_certain: true,
        };
        locate(name).map(seen).unwrap_or_default()
    }

    /// Whether what the name of `source` means looks as when it was read.
    pub fn looks_the_same(&self, source: &Source) -> bool {
        self.look_at(source.name.as_deref()).look == source.look
    }

    fn remote(&self) -> Result<&Remote, Unfound> {
        let none =
            || Unfound::Unresolved("registry.url: expected one for a name with @, got none".to_owned());
        self.remote.as_ref().ok_or_else(none)
    }
}

impl Remote {
    fn resolve(&self, reference: &str) -> Result<Found, String> {
        let reference: Reference =
            reference.parse().map_err(|error: voiceflow_registry::Error| error.to_string())?;
        let found = self.handle.block_on(self.cache.resolve(&self.registry, &reference));
        let found = found.map_err(|error| error.to_string())?;
        if let Some(error) = &found.stale {
            tracing::warn!(%error, reference = reference.to_string(), "the registry's last word holds");
        }
        Ok(found)
    }
}

/// A name that is the registry's to know, and no path.
fn of_registry(name: Option<&str>) -> Option<&str> {
    name.filter(|name| name.contains(AT) && !name.contains('/'))
}

fn said(resolved: &Resolved) -> Look {
    Look::Said(format!("{}@{} {}", resolved.name, resolved.version, resolved.sha256))
}

/// The folder of a bundle; none of what is compiled in.
fn locate(name: Option<&str>) -> voiceflow::Result<Option<PathBuf>> {
    let Some(folder) = name.map(find_bundle).transpose()?.flatten() else { return Ok(None) };
    fs::canonicalize(&folder).map(Some).map_err(|error| super::source::system(&folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_what_its_files_hold() {
        let shelf = Shelf { remote: None };
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model.onnx");
        fs::write(&model, b"one").unwrap();
        let find = || shelf.find(folder.path().to_str()).unwrap();
        let one = find();
        fs::create_dir(folder.path().join("more")).unwrap();
        assert!(one.holds_the_same(&find()) && shelf.looks_the_same(&one) && one.again().is_ok());
        fs::write(&model, b"other").unwrap();
        assert!(!one.holds_the_same(&find()) && !shelf.looks_the_same(&one));
        let error = one.again().unwrap_err();
        assert!(error.ends_with("expected the files of before, found others"), "{error}");
    }

    #[test]
    fn a_link_may_come_to_mean_another_and_what_was_before_stays() {
        let shelf = Shelf { remote: None };
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("current");
        for version in ["1", "2"] {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("model.onnx"), version).unwrap();
        }
        std::os::unix::fs::symlink("1", &link).unwrap();
        let one = shelf.find(link.to_str()).unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("2", &link).unwrap();
        assert!(!shelf.looks_the_same(&one) && !one.holds_the_same(&shelf.find(link.to_str()).unwrap()));
        assert!(one.again().unwrap().holds_the_same(&one));
    }

    #[test]
    fn names_of_a_registry_need_one() {
        let shelf = Shelf { remote: None };
        let error = shelf.find(Some("fast-cnn@stable")).unwrap_err();
        assert_eq!(error.to_string(), "registry.url: expected one for a name with @, got none");
        assert_eq!([of_registry(Some("a/b@c")), of_registry(Some("a")), of_registry(None)], [None; 3]);
    }

    #[test]
    fn what_is_compiled_in_never_changes_and_what_is_nowhere_is_an_error() {
        let shelf = Shelf { remote: None };
        let own = shelf.find(None).unwrap();
        assert!(shelf.looks_the_same(&own) && own.bundle().is_none() && own.again().is_ok());
        assert!(shelf.look_at(None).is_certain);
        assert!(shelf.find(Some("/nowhere")).is_err());
        assert_eq!(shelf.look_at(Some("/nowhere")), Seen { look: Look::Nothing, is_certain: false });
    }
}
