//! What has to hold in every store: a folder, S3, GCS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::path::Path;
use std::time::Duration;

use voiceflow_registry::{Cache, Error, Keep, Move, Registry, Trust};

use crate::proxy::Through;
use crate::servers;
use crate::support::{KEY, PATIENCE, bundle, open, promote, pull, reference, release, staged, wait};
use crate::tools;

/// The same test for every store.
fn everywhere(test: impl Fn(&Registry)) {
    let folder = tempfile::tempdir().unwrap();
    test(&open(folder.path().to_str().unwrap()));
    test(&servers::open(&servers::s3(Through)));
    test(&servers::open(&servers::gcs(Through)));
}

#[test]
fn a_version_is_published_promoted_fetched_and_rolled_back() {
    everywhere(|registry| {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(home.path(), 1 << 20).unwrap();
        assert!(matches!(pull(&cache, registry, "tiny"), Err(Error::NotFound { .. })));
        release(registry, "1.0.0", "one");
        assert_eq!(pull(&cache, registry, "tiny").unwrap(), "one");
        release(registry, "1.1.0", "two");
        assert_eq!(pull(&cache, registry, "tiny@stable").unwrap(), "two");
        assert_eq!(pull(&cache, registry, "tiny@1.0.0").unwrap(), "one");
        let (name, channel) = ("tiny".parse().unwrap(), "stable".parse().unwrap());
        let back = wait(registry.move_channel(&name, &channel, &Move::Rollback(None), None, Some(&*KEY)));
        let back = back.unwrap();
        assert_eq!(
            (back.version.to_string().as_str(), back.sequence, back.rollback),
            ("1.0.0", Some(3), true)
        );
        assert_eq!(pull(&cache, registry, "tiny").unwrap(), "one");
        let further = wait(registry.move_channel(&name, &channel, &Move::Rollback(None), None, Some(&*KEY)));
        assert!(further.unwrap_err().to_string().contains("one to go back to"));
        assert!(promote(registry, "0.9.0").unwrap_err().to_string().contains("expected one above 1.0.0"));
        assert!(matches!(promote(registry, "3.0.0"), Err(Error::NotFound { .. })));
        assert_eq!(wait(registry.models()).unwrap(), std::slice::from_ref(&name));
        let (versions, channels) = wait(registry.versions(&name)).unwrap();
        let versions: Vec<_> =
            versions.iter().map(|info| (info.version.to_string(), info.complete)).collect();
        assert_eq!(versions, [("1.0.0".to_owned(), true), ("1.1.0".to_owned(), true)]);
        assert_eq!(channels, [channel]);
    });
}

#[test]
fn versions_never_change() {
    everywhere(|registry| {
        release(registry, "1.0.0", "one");
        let again = bundle("1.0.0", "one");
        assert!(!wait(registry.publish(&staged(&again), Some(&*KEY))).unwrap().new);
        let other = bundle("1.0.0", "other");
        let error = wait(registry.publish(&staged(&other), Some(&*KEY))).unwrap_err();
        assert!(matches!(&error, Error::Conflict { .. }), "{error}");
        assert!(error.to_string().contains("tiny/1.0.0: version is there with other contents"), "{error}");
        let resolved = wait(registry.resolve(&reference("tiny@1.0.0"))).unwrap();
        assert_eq!(wait(registry.verify(&resolved)).unwrap(), 3 + 2 + 36);
    });
}

#[test]
fn of_two_publishers_of_one_version_one_is_told() {
    everywhere(|registry| {
        let bundles = ["first", "second"].map(|contents| bundle("2.0.0", contents));
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let publish = |folder| scope.spawn(move || wait(registry.publish(&staged(folder), Some(&*KEY))));
            let threads: Vec<_> = bundles.iter().map(publish).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let good = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(good, 1, "{outcomes:?}");
        let error = outcomes.iter().find_map(|outcome| outcome.as_ref().err()).unwrap();
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
        let resolved = wait(registry.resolve(&reference("tiny@2.0.0"))).unwrap();
        wait(registry.verify(&resolved)).unwrap();
    });
}

#[test]
fn of_many_who_move_a_channel_at_once_each_wins_or_is_told() {
    everywhere(|registry| {
        release(registry, "1.0.0", "one");
        let versions: Vec<String> = (1..=4).map(|minor| format!("1.{minor}.0")).collect();
        for version in &versions {
            wait(registry.publish(&staged(&bundle(version, version)), Some(&*KEY))).unwrap();
        }
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                versions.iter().map(|version| scope.spawn(move || promote(registry, version))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let moved = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            // Overtaken by a higher one, or at the same moment.
            assert!(matches!(error, Error::Conflict { .. } | Error::Argument { .. }), "{error}");
        }
        let now = wait(registry.resolve(&reference("tiny"))).unwrap();
        assert_eq!(now.sequence, Some(1 + moved), "{outcomes:?}");
        let last = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).max_by_key(|won| won.sequence);
        assert_eq!(last.unwrap().version, now.version);
        // The signature that the tool reads has settled too.
        let folder = Path::new(registry.url()).join("tiny/channels");
        if folder.is_dir() {
            tools::run(tools::minisign().args(["-V", "-P", &KEY.public(), "-m", "stable.json"]), &folder, "");
        }
    });
}

#[test]
fn what_no_channel_names_goes_and_all_else_stays() {
    everywhere(|registry| {
        for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
            release(registry, version, version);
        }
        wait(registry.publish(&staged(&bundle("1.4.0", "candidate")), Some(&*KEY))).unwrap();
        let name = "tiny".parse().unwrap();
        let usual = wait(registry.removals(&name, &Keep::default())).unwrap();
        assert_eq!(usual, [], "nothing is older than a month");
        let now = Keep {
            newest: 1,
            younger_than: Duration::ZERO,
            unfinished_younger_than: Duration::from_secs(3600),
        };
        // Clocks of stores may be a little ahead.
        std::thread::sleep(Duration::from_millis(1100));
        let removals = wait(registry.removals(&name, &now)).unwrap();
        let versions: Vec<_> =
            removals.iter().flat_map(|removal| &removal.version).map(ToString::to_string).collect();
        assert_eq!(versions, ["1.0.0", "1.1.0"], "1.3.0 is named, 1.2.0 was before, 1.4.0 is the highest");
        // A channel that is moved to one of them in the meantime keeps it.
        let (canary, to) = ("canary".parse().unwrap(), Move::Promote("1.1.0".parse().unwrap()));
        wait(registry.move_channel(&name, &canary, &to, None, Some(&*KEY))).unwrap();
        let removed: Vec<_> =
            removals.iter().map(|removal| wait(registry.remove(removal)).unwrap()).collect();
        assert_eq!(removed, [true, false]);
        let (versions, _) = wait(registry.versions(&name)).unwrap();
        assert_eq!(versions.len(), 4);
        assert!(matches!(wait(registry.resolve(&reference("tiny@1.0.0"))), Err(Error::NotFound { .. })));
        // The signatures of former moves go too, when nobody can be reading them any more.
        let later = Keep { unfinished_younger_than: Duration::ZERO, ..Keep::default() };
        std::thread::sleep(Duration::from_millis(1100));
        let signatures = wait(registry.removals(&name, &later)).unwrap();
        assert_eq!(signatures.len(), 3, "{signatures:?}");
        for signature in &signatures {
            assert!(wait(registry.remove(signature)).unwrap());
        }
        assert_eq!(wait(registry.resolve(&reference("tiny"))).unwrap().version.to_string(), "1.3.0");
    });
}

#[test]
fn a_url_means_a_store_and_clouds_need_a_key() {
    let said = |url: &str, trust: Trust| Registry::open(url, trust, PATIENCE).unwrap_err().to_string();
    for url in ["", "http://host/x", "s3://", "file://host/x", "s3://key:secret@bucket/x", "ftp://x"] {
        let error = said(url, KEY.trust());
        assert!(error.starts_with("registry: expected a folder, file:///FOLDER, s3://"), "{url}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    for url in ["s3://bucket/models", "gs://bucket"] {
        let error = said(url, Trust::default());
        assert!(error.starts_with("trusted keys: expected at least one for "), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    assert!(Registry::open(&url, Trust::default(), PATIENCE).is_ok());
}
