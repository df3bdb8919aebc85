//! The protocol of `protocol.py` for contenders in Rust: reading audio, processor time, peak
//! memory, the lines.

use std::{error::Error, fs, path::Path, time::Instant};

/// What can go wrong anywhere in a contender.
pub type Failure = Box<dyn Error>;
/// Start and end in seconds, and the number of the speaker.
pub type Segment = (f64, f64, usize);

/// Hertz of every recording handed to a contender.
const SAMPLE_RATE: u32 = 16_000;

/// Times `load`, then what it returns on each recording, and prints the lines. That function gives
/// the segments' maker, which runs after the clock has stopped.
pub fn serve<P, S>(recordings: &[String], load: impl FnOnce() -> Result<P, Failure>) -> Result<(), Failure>
where
    P: FnMut(&[f32]) -> Result<S, Failure>,
    S: FnOnce() -> Result<Vec<Segment>, Failure>,
{
    let begun = Instant::now();
    let mut process = load()?;
    println!("{{\"load_s\": {}}}", begun.elapsed().as_secs_f64());
    for path in recordings {
        let samples = read(Path::new(path))?;
        let (begun, begun_cpu) = (Instant::now(), cpu_s()?);
        let segments = process(&samples)?;
        let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_s()? - begun_cpu);
        let segments: Vec<String> =
            segments()?.iter().map(|(start, end, speaker)| format!("[{start}, {end}, {speaker}]")).collect();
        let segments = segments.join(", ");
        println!("{{\"seconds\": {seconds}, \"cpu_s\": {cpu:.2}, \"segments\": [{segments}]}}");
    }
    println!("{{\"peak_mb\": {}}}", peak_mb()?);
    Ok(())
}

/// Samples of a 16 kHz mono 16-bit WAV file, -1 to 1.
fn read(path: &Path) -> Result<Vec<f32>, Failure> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    if (spec.sample_rate, spec.channels, spec.bits_per_sample) != (SAMPLE_RATE, 1, 16) {
        return Err(format!("{}: expected 16 kHz mono of 16 bits, got {spec:?}", path.display()).into());
    }
    let samples: Result<Vec<i16>, _> = reader.samples().collect();
    Ok(samples?.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
}

/// Processor time of all threads of this process so far, from Linux's /proc.
fn cpu_s() -> Result<f64, Failure> {
    /// Ticks of /proc in a second, USER_HZ: 100 on every Linux that is not built by hand.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may hold spaces; user and system time are the 12th
    // and 13th after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Peak resident memory of this process in MiB, from Linux's /proc.
fn peak_mb() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc/self/status: no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
