//! How many threads one run of the network uses. Never asks ONNX Runtime for its own default, which
//! also binds threads to processors: that is not ours to do in somebody else's process.

use std::thread::available_parallelism;

use crate::process::physical_cores;

/// The number of threads for the option `threads`: itself, or for 0 one for each physical core that
/// this process may use.
pub(crate) fn thread_count(threads: usize) -> usize {
    if threads > 0 {
        return threads;
    }
    // Counts logical processors, with the limits of affinity and control groups.
    let logical = available_parallelism().map_or(1, usize::from);
    physical_cores().map_or(logical, |cores| cores.min(logical)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_as_it_is() {
        assert_eq!(thread_count(3), 3);
        assert!(thread_count(0) >= 1);
    }
}
