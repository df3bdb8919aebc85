//! What the system knows of the process, read when it is asked for.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks a second of the times in /proc/self/stat: USER_HZ, 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory, descriptors, threads and processor time, as the Prometheus clients name them.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("process_resident_memory_bytes", "Resident memory", status("VmRSS:").map(|kib| kib * 1024.0))?;
        gauge("process_threads", "Threads", status("Threads:"))?;
        let descriptors = fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count() as f64);
        gauge("process_open_fds", "Open descriptors", descriptors)?;
        gauge("process_max_fds", "Most descriptors that may be open", most_descriptors())?;
        let Some(seconds) = cpu_seconds() else { return Ok(()) };
        let counter = ConstCounter::new(seconds);
        let text = "Processor time of the process";
        counter.encode(encoder.encode_descriptor("process_cpu_seconds", text, None, counter.metric_type())?)
    }
}

/// The soft limit in the line of /proc/self/limits, see proc(5).
fn most_descriptors() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    // Without a limit it is a word.
    rest.split_whitespace().next()?.parse().ok()
}

/// The number in the line of /proc/self/status that begins with `name`.
fn status(name: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Time in user and kernel mode: the 14th and 15th field of /proc/self/stat, see proc(5).
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold spaces.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}
