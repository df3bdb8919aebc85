//! A file in memory with a path, for readers that want one.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;

/// A regular file without a place in any folder; gone when it is dropped.
pub struct MemoryFile {
    file: File,
}

impl MemoryFile {
    /// # Panics
    /// Where the system gives no such file.
    #[must_use]
    pub fn new() -> Self {
        // SAFETY: the name is a literal that ends in a zero byte; the descriptor belongs to nobody
        // else.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_CLOEXEC);
            assert!(descriptor >= 0, "memfd_create: {}", std::io::Error::last_os_error());
            File::from_raw_fd(descriptor)
        };
        Self { file }
    }

    /// A path under which this process can open it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }

    /// Makes `bytes` its contents.
    ///
    /// # Panics
    /// Where there is no memory for them.
    pub fn set(&mut self, bytes: &[u8]) {
        self.file.set_len(0).expect("a file in memory can be emptied");
        self.file.rewind().expect("a file in memory can be rewound");
        self.file.write_all(bytes).expect("memory for an input");
    }
}

impl Default for MemoryFile {
    fn default() -> Self {
        Self::new()
    }
}
