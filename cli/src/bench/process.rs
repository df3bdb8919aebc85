//! What this process has used, as Linux reports it; other systems report nothing here.

/// Clock ticks in a second in what Linux reports to programs, on every architecture (USER_HZ).
const TICKS_PER_S: f64 = 100.0;

/// Place of the processor time in user mode in `/proc/self/stat`, counted from behind the name;
/// that of the system follows.
const USER_TIME: usize = 11;

/// Processor time of all threads so far, in seconds.
pub fn cpu_s() -> Option<f64> {
    cpu_of(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Memory in use, in MB.
pub fn resident_mb() -> Option<f64> {
    resident_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn cpu_of(stat: &str) -> Option<f64> {
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(USER_TIME);
    let (user, system): (f64, f64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some((user + system) / TICKS_PER_S)
}

fn resident_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_behind_any_name() {
        let stat = "42 (a) b 7) R 1 2 3 4 -1 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(cpu_of(stat), Some(3.0));
        assert_eq!(resident_of("VmSize:\t9 kB\nVmRSS:\t  1000 kB\n"), Some(1.024));
        assert_eq!((cpu_of(""), resident_of("")), (None, None));
    }
}
