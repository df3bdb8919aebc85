//! The processor that this process runs on, as Linux describes it in /proc/cpuinfo.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Result};

const CPUINFO: &str = "/proc/cpuinfo";

/// The number of physical cores; `None` where the system does not tell (as on ARM).
pub(crate) fn physical_cores() -> Option<usize> {
    count_cores(&std::fs::read_to_string(CPUINFO).ok()?)
}

fn count_cores(cpuinfo: &str) -> Option<usize> {
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

/// The model and the features of the processor.
///
/// # Errors
/// That the system does not tell them.
pub(crate) fn model_and_features() -> Result<String> {
    let file =
        File::open(CPUINFO).map_err(|error| Error::new(error.kind(), format!("{CPUINFO}: {error}")))?;
    describe(BufReader::new(file))
}

/// What the first block of /proc/cpuinfo says of them. The other blocks are not read: on a large
/// machine they take longer than a model saves.
fn describe(cpuinfo: impl BufRead) -> Result<String> {
    const FEATURES: [&str; 2] = ["flags", "Features"];
    const MODEL: [&str; 3] = ["model name", "CPU implementer", "CPU part"];
    let mut found = String::new();
    let mut has_features = false;
    for line in cpuinfo.lines() {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        let name = name.trim();
        has_features |= FEATURES.contains(&name);
        if FEATURES.contains(&name) || MODEL.contains(&name) {
            found.push_str(&format!("{name}:{value}\n"));
        }
    }
    if has_features {
        return Ok(found);
    }
    Err(Error::other(format!("{CPUINFO}: expected a line `flags` or `Features`, found none")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyperthreads_are_counted_once() {
        let text = "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\nphysical id\t: 0\n\
                    core id\t\t: 0\n\nprocessor\t: 2\nphysical id\t: 1\ncore id\t\t: 0\n";
        assert_eq!(count_cores(text), Some(2));
        assert_eq!(count_cores("processor : 0\nBogoMIPS : 48\n"), None);
    }

    #[test]
    fn a_processor_is_its_model_and_its_features() {
        let described = |text: &str| describe(text.as_bytes());
        let intel = "processor\t: 0\nmodel name\t: Xeon\ncpu MHz\t\t: 2100.1\nflags\t\t: fpu avx2\n\nmodel name\t: other\n";
        assert_eq!(described(intel).unwrap(), "model name: Xeon\nflags: fpu avx2\n");
        let arm = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n";
        let expected = "Features: fp asimd\nCPU implementer: 0x41\nCPU part: 0xd0c\n";
        assert_eq!(described(arm).unwrap(), expected);
        let error = described("model name\t: Xeon\n\nflags\t: fpu\n").unwrap_err();
        assert!(error.to_string().contains("expected a line `flags` or `Features`"), "{error}");
    }
}
