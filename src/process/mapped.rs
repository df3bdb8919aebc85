//! The files that are mapped into this process, as Linux tells them.

use std::path::PathBuf;

/// A file mapped into this process, and where.
pub(crate) struct Mapped {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) path: PathBuf,
}

/// The files mapped into this process; none where the system has no /proc.
pub(crate) fn mapped_files() -> Vec<Mapped> {
    parse_maps(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default())
}

fn parse_maps(text: &str) -> Vec<Mapped> {
    let line = |line: &str| {
        // start-end permissions offset device inode path; the path may hold spaces.
        let path = &line[line.find('/')?..];
        let (start, end) = line.split_whitespace().next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some(Mapped { start: number(start)?, end: number(end)?, path: PathBuf::from(path) })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_with_spaces_are_read() {
        let text = "7f0000001000-7f0000002000 r-xp 00000000 08:01 42   /opt/my app/libonnxruntime.so.1.20.0\n\
                    7f0000003000-7f0000004000 rw-p 00000000 00:00 0\n";
        let maps = parse_maps(text);
        assert_eq!(maps.len(), 1);
        assert_eq!((maps[0].start, maps[0].end), (0x7f0000001000, 0x7f0000002000));
        assert_eq!(maps[0].path, Path::new("/opt/my app/libonnxruntime.so.1.20.0"));
    }

    #[test]
    fn this_program_is_mapped() {
        let program = std::env::current_exe().unwrap();
        assert!(mapped_files().iter().any(|file| file.path == program));
    }
}
