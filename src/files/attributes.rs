//! What a file keeps when other contents take its place: owner, mode, access list and the user's
//! attributes.

use std::fs::File;

/// Gives `new`, which nobody but its maker can read yet, what `older` has. The system's own
/// attributes (`security.`, `trusted.`) are left to its policy.
///
/// # Errors
/// What cannot be kept, and why.
#[cfg(unix)]
pub(super) fn keep(older: &File, new: &File) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;

    let metadata = |file: &File| file.metadata().map_err(|error| error.to_string());
    let (wanted, found) = (metadata(older)?, metadata(new)?);
    if (wanted.uid(), wanted.gid()) != (found.uid(), found.gid()) {
        let owner = |error| {
            let (user, group) = (wanted.uid(), wanted.gid());
            format!("its owner (user {user}, group {group}) cannot be kept by this process: {error}")
        };
        std::os::unix::fs::fchown(new, Some(wanted.uid()), Some(wanted.gid())).map_err(owner)?;
    }
    // After the owner, whose change takes bits away; before the access list, which the mode is a
    // part of.
    if metadata(new)?.mode() != wanted.mode() {
        new.set_permissions(wanted.permissions())
            .map_err(|error| format!("its mode cannot be kept: {error}"))?;
    }
    #[cfg(target_os = "linux")]
    extended::keep(older, new).map_err(|(name, error)| format!("{name} cannot be kept: {error}"))?;
    Ok(())
}

/// As on Unix, but for the permissions alone.
#[cfg(not(unix))]
pub(super) fn keep(older: &File, new: &File) -> Result<(), String> {
    let permissions = older.metadata().map(|metadata| metadata.permissions());
    permissions.and_then(|permissions| new.set_permissions(permissions)).map_err(|error| error.to_string())
}

/// Extended attributes.
#[cfg(target_os = "linux")]
mod extended {
    use std::fs::File;
    use std::io;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
    use rustix::io::Errno;

    use crate::memory;

    /// The access list, of which the mode is a summary.
    const ACCESS_LIST: &str = "system.posix_acl_access";

    /// Largest list of names, and largest value, that Linux has.
    const MAX_BYTES: usize = 65_536;

    pub(super) fn keep(older: &File, new: &File) -> Result<(), (String, io::Error)> {
        let no_memory =
            |error: crate::Error| ("a copy of its attributes".to_owned(), io::Error::other(error));
        let mut value = memory::filled("attributes", MAX_BYTES, 0).map_err(no_memory)?;
        let wanted =
            names(older, &mut value).map_err(|error| ("the list of its attributes".to_owned(), error))?;
        // A list that the folder gave the new file would open it to others than those of the older
        // one.
        let given = names(new, &mut value).unwrap_or_default();
        if given.iter().any(|name| name == ACCESS_LIST) && !wanted.iter().any(|name| name == ACCESS_LIST) {
            fremovexattr(new, ACCESS_LIST).map_err(|error| (ACCESS_LIST.to_owned(), error.into()))?;
        }
        for name in wanted {
            let copied = fgetxattr(older, name.as_str(), &mut value[..]).and_then(|length| {
                let value = value.get(..length).unwrap_or_default();
                fsetxattr(new, name.as_str(), value, XattrFlags::empty())
            });
            copied.map_err(|error| (name, error.into()))?;
        }
        Ok(())
    }

    /// The names of the attributes that are kept; none where the filesystem has no such thing.
    fn names(file: &File, buffer: &mut [u8]) -> io::Result<Vec<String>> {
        let length = match flistxattr(file, &mut *buffer) {
            Ok(length) => length,
            Err(Errno::NOTSUP | Errno::NOSYS) => 0,
            Err(error) => return Err(error.into()),
        };
        let names = buffer.get(..length).unwrap_or_default().split(|&byte| byte == 0);
        let names = names.filter_map(|name| std::str::from_utf8(name).ok());
        let kept = names.filter(|name| name.starts_with("user.") || *name == ACCESS_LIST);
        Ok(kept.map(str::to_owned).collect())
    }
}
