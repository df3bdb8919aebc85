//! How much memory is left, for this process and in the control group that it is in.

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups of version 2 are.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes that the process may still take, and what it has; `None` where the system does not tell.
pub(super) fn free() -> Option<u64> {
    let machine = kib(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    Some(of_group().map_or(machine, |group| group.min(machine)))
}

/// Bytes of the process that are in memory.
pub(super) fn resident() -> Option<u64> {
    kib(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The number of KiB in the line that begins with `name`, in bytes.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// What the narrowest limit of the groups of the process leaves; `None` where there is none.
fn of_group() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let own = PathBuf::from(format!("{GROUPS}{own}"));
    own.ancestors().take_while(|folder| folder.starts_with(GROUPS)).filter_map(left).min()
}

fn left(group: &Path) -> Option<u64> {
    let number = |file: &str| fs::read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
    let used = number("memory.current")?;
    // Files that the system keeps in memory are given up for others.
    let statistics = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let files = statistics.lines().find_map(|line| line.strip_prefix("inactive_file "));
    let files = files.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    Some(number("memory.max")?.saturating_sub(used.saturating_sub(files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_bytes() {
        assert_eq!(kib("MemTotal: 5 kB\nMemAvailable:   7 kB\n", "MemAvailable:"), Some(7168));
        assert_eq!(kib("MemTotal: 5 kB\n", "MemAvailable:"), None);
        assert!(free().is_some_and(|free| free > 0) && resident().is_some_and(|own| own > 1 << 20));
    }
}
