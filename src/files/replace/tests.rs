use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn entries(folder: &TempDir) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The reason why `path` is not written.
fn refused(path: &Path) -> String {
    let error = write(path, "x").unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{}: {error:?}", path.display());
    error.to_string().strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
}

#[test]
fn files_are_replaced_and_nothing_is_left_beside_them() {
    let folder = folder();
    let path = folder.path().join("a.rttm");
    for contents in ["one", "two"] {
        write(&path, contents).unwrap();
        assert_eq!(text(&path), contents);
    }
    assert_eq!(entries(&folder), 1);
}

#[test]
fn links_stay_and_what_they_lead_to_is_replaced_or_made() {
    let folder = folder();
    let file = folder.path().join("deep/file");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let (link, far) = (folder.path().join("link"), folder.path().join("far"));
    symlink("deep/file", &link).unwrap();
    symlink(&link, &far).unwrap();
    for contents in ["made", "replaced"] {
        write(&far, contents).unwrap();
        assert_eq!(text(&file), contents);
    }
    assert!(link.is_symlink() && far.is_symlink() && !file.is_symlink());
    assert_eq!(entries(&folder), 3);
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    symlink(&one, &other).unwrap();
    symlink(&other, &one).unwrap();
    assert!(refused(&one).contains("symbolic links"), "{}", refused(&one));
    symlink("no/file", folder.path().join("astray")).unwrap();
    let error = write(folder.path().join("astray"), "x").unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
}

#[test]
fn what_is_no_regular_file_is_refused_and_stays() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.path().join("link");
    symlink("/dev/null", &link).unwrap();
    let before = std::fs::symlink_metadata("/dev/null").unwrap();
    assert_eq!(refused(&pipe), "expected a regular file, found a pipe (FIFO)");
    assert_eq!(refused(&socket), "expected a regular file, found a socket");
    assert_eq!(refused(Path::new("/dev/null")), "expected a regular file, found a device");
    assert_eq!(refused(&link), "expected a regular file, found a device");
    assert_eq!(refused(folder.path()), "expected a regular file, found a folder");
    let after = std::fs::symlink_metadata("/dev/null").unwrap();
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    assert!(link.is_symlink() && entries(&folder) == 3);
    assert!(refused(&folder.path().join("none/")).starts_with("expected the path of a file"));
    assert!(refused(Path::new("")).starts_with("expected the path of a file"));
}

#[test]
fn a_private_file_is_its_owners_alone_and_others_follow_the_mask() {
    let folder = folder();
    let (private, shared) = (folder.path().join("private"), folder.path().join("shared"));
    write_private(&private, "x").unwrap();
    write(&shared, "x").unwrap();
    assert_eq!(mode(&private), 0o600);
    // The mask of this process, as a file shows it that somebody else makes.
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "x").unwrap();
    assert_eq!(mode(&shared), mode(&plain));
}

#[test]
fn mode_and_attributes_of_the_older_file_are_kept() {
    let folder = folder();
    let path = folder.path().join("file");
    std::fs::write(&path, "older").unwrap();
    for wanted in [0o600, 0o640, 0o666, 0o751] {
        std::fs::set_permissions(&path, Permissions::from_mode(wanted)).unwrap();
        write_private(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(mode(&path), wanted);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{XattrFlags, getxattr, setxattr};
        setxattr(&path, "user.subject", b"ada", XattrFlags::empty()).unwrap();
        write(&path, "three").unwrap();
        let mut value = [0; 8];
        let length = getxattr(&path, "user.subject", &mut value[..]).unwrap();
        assert_eq!(value[..length], *b"ada");
    }
}

/// An access list as Linux keeps it: this version, then a tag, what it may and whom it is for, of
/// each entry.
#[cfg(target_os = "linux")]
fn access_list(user: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(1, 6, NOBODY), (2, 4, user), (4, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, may, whom) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(may.to_le_bytes());
        bytes.extend(whom.to_le_bytes());
    }
    bytes
}

#[cfg(target_os = "linux")]
#[test]
fn access_lists_are_kept_and_none_is_added() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    const ACCESS: &str = "system.posix_acl_access";
    let folder = folder();
    let (listed, plain) = (folder.path().join("listed"), folder.path().join("plain"));
    std::fs::write(&listed, "x").unwrap();
    std::fs::write(&plain, "x").unwrap();
    std::fs::set_permissions(&plain, Permissions::from_mode(0o640)).unwrap();
    setxattr(&listed, ACCESS, &access_list(12_345), XattrFlags::empty()).unwrap();
    // What the folder gives to each new file.
    setxattr(folder.path(), "system.posix_acl_default", &access_list(54_321), XattrFlags::empty()).unwrap();
    let mut value = [0; 256];
    for path in [&listed, &plain] {
        write(path, "new").unwrap();
    }
    let length = getxattr(&listed, ACCESS, &mut value[..]).unwrap();
    assert_eq!(value[..length], access_list(12_345));
    assert_eq!(getxattr(&plain, ACCESS, &mut value[..]), Err(rustix::io::Errno::NODATA));
    assert_eq!(mode(&plain), 0o640);
}

/// Only a process that may give files away can see its owner kept.
#[test]
fn the_owner_is_kept_or_the_write_refused() {
    let folder = folder();
    let path = folder.path().join("file");
    std::fs::write(&path, "older").unwrap();
    if std::os::unix::fs::chown(&path, Some(12_345), Some(54_321)).is_err() {
        println!("skipped: this user may not give files away");
        return;
    }
    std::fs::set_permissions(&path, Permissions::from_mode(0o6640)).unwrap();
    write(&path, "new").unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), mode(&path)), (12_345, 54_321, 0o6640));
}

#[test]
fn a_failed_write_leaves_the_older_file() {
    let folder = folder();
    assert!(matches!(write(folder.path().join("no/a.json"), "x").unwrap_err(), Error::NotFound(_)));
    let path = folder.path().join("file");
    std::fs::write(&path, "older").unwrap();
    // No new file in a folder that is only read, except by those who may write everywhere.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(folder.path().join("other"), "x").is_err() {
        assert!(refused(&path).starts_with("its folder takes no new file"), "{}", refused(&path));
    }
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(text(&path), "older");
}

#[test]
fn many_write_at_once_and_each_time_one_of_them_stays_whole() {
    let folder = folder();
    let path = folder.path().join("file");
    std::thread::scope(|scope| {
        for digit in b'0'..b'8' {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..25 {
                    write(path, [digit; 5_000]).unwrap();
                    let read = std::fs::read(path).unwrap();
                    assert!(read.len() == 5_000 && read.iter().all(|byte| *byte == read[0]));
                }
            });
        }
    });
    assert_eq!(entries(&folder), 1);
}
