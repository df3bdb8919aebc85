//! How many threads one run of the network uses. Never asks ONNX Runtime for its own default, which
//! also binds threads to processors: that is not ours to do in somebody else's process.

use std::collections::HashSet;
use std::thread::available_parallelism;

/// The number of threads for the option `threads`: itself, or for 0 one for each physical core that
/// this process may use.
pub(crate) fn thread_count(threads: usize) -> usize {
    if threads > 0 {
        return threads;
    }
    // Counts logical processors, with the limits of affinity and control groups.
    let logical = available_parallelism().map_or(1, usize::from);
    let physical = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| physical_cores(&text));
    physical.map_or(logical, |cores| cores.min(logical)).max(1)
}

/// Physical cores in the text of /proc/cpuinfo; `None` where it does not tell (as on ARM).
fn physical_cores(cpuinfo: &str) -> Option<usize> {
    let mut cores = HashSet::new();
    let mut package = "";
    for line in cpuinfo.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim() {
            "physical id" => package = value.trim(),
            "core id" => _ = cores.insert((package, value.trim())),
            _ => {}
        }
    }
    (!cores.is_empty()).then_some(cores.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyperthreads_are_counted_once() {
        let text = "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\nphysical id\t: 0\n\
                    core id\t\t: 0\n\nprocessor\t: 2\nphysical id\t: 1\ncore id\t\t: 0\n";
        assert_eq!(physical_cores(text), Some(2));
        assert_eq!(physical_cores("processor : 0\nBogoMIPS : 48\n"), None);
    }

    #[test]
    fn a_number_is_taken_as_it_is() {
        assert_eq!(thread_count(3), 3);
        assert!(thread_count(0) >= 1);
    }
}
