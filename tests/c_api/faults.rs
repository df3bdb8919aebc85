//! The fault sweep: allocations that fail, one after another, in every kind of call;
//! tests/faults/sweep.c makes them. What an input sizes is refused with a status; what ends the
//! process instead is counted, and is small or another library's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::installed::{compile, environment};
use crate::support::{fresh_folder, root, stdout};

/// Size in bytes from which an allocation of the library's own never ends the process. Below it are
/// the tables that packages make for a sample rate or a codec, texts, and the parts of a window.
const LARGE: usize = 32 * 1024;

/// Size in bytes up to which the metadata of the shipped model are copied by the package `ort`,
/// which aborts without memory.
const METADATA: usize = 128 * 1024;

/// Size in bytes up to which the packages that decode files make buffers and tables as they need
/// them: a codebook of Vorbis takes 256 KiB.
const DECODERS: usize = 512 * 1024;

/// The kinds of calls; `process-file` is run on a file of each format.
const SCENARIOS: [&str; 9] = [
    "create-path",
    "create-memory",
    "create-shipped",
    "create-pair",
    "process-samples",
    "process-file",
    "stream",
    "gallery",
    "outputs",
];

/// A file of each container and codec.
const FILES: [&str; 6] =
    ["44k.m4a", "48k_fragmented.m4a", "22k_stereo.flac", "44k_stereo.mp3", "44k.ogg", "s24_16k.wav"];

/// Which allocations fail.
#[derive(Clone, Copy)]
struct Faults {
    /// Whether all fail after the first.
    all: bool,
    /// The smallest that fails, in bytes.
    least: usize,
    /// Whether only those of the library fail, not those of ONNX Runtime and the C library.
    own: bool,
    /// Calls to make, 0 for one for each allocation.
    points: usize,
}

/// How the calls of a sweep ended.
#[derive(Debug, Default)]
struct Outcome {
    allocations: usize,
    calls: usize,
    ok: usize,
    refused: usize,
    wrong: usize,
    /// Calls after which the next one failed.
    broken: usize,
    hangs: usize,
    /// Sizes of the library's own allocations whose failure aborted the process.
    own_aborts: Vec<usize>,
    /// Aborts after a failure in ONNX Runtime or the C library, and other signals.
    foreign_aborts: usize,
    own_signals: usize,
    foreign_signals: usize,
}

impl Outcome {
    fn read(text: &str) -> Self {
        let mut outcome = Outcome::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |index: usize| words[index].parse::<usize>().unwrap();
            match words[0] {
                "total" => outcome.allocations = number(1),
                "ok" => outcome.ok = number(1),
                "refused" => outcome.refused = number(1),
                "wrong" => outcome.wrong = number(1),
                "broken" => outcome.broken = number(1),
                "hang" => outcome.hangs += 1,
                "abort" if words[2] == "voiceflow" => outcome.own_aborts.push(number(3)),
                "abort" => outcome.foreign_aborts += 1,
                "signal" if words[2] == "voiceflow" => outcome.own_signals += 1,
                "signal" => outcome.foreign_signals += 1,
                _ => {}
            }
        }
        outcome.calls = outcome.ok + outcome.refused + outcome.deaths();
        outcome
    }

    fn deaths(&self) -> usize {
        self.hangs + self.own_aborts.len() + self.foreign_aborts + self.own_signals + self.foreign_signals
    }

    fn add(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.calls += other.calls;
        self.ok += other.ok;
        self.refused += other.refused;
        self.wrong += other.wrong;
        self.broken += other.broken;
        self.hangs += other.hangs;
        self.own_aborts.extend(other.own_aborts);
        self.foreign_aborts += other.foreign_aborts;
        self.own_signals += other.own_signals;
        self.foreign_signals += other.foreign_signals;
    }

    /// What holds whatever fails.
    fn check(&self, name: &str, text: &str) {
        let faults = self.wrong + self.broken + self.hangs + self.own_signals;
        assert_eq!(faults, 0, "{name}: {self:?}\n{text}");
        let largest = self.own_aborts.iter().max().copied().unwrap_or(0);
        assert!(largest < large(name), "{name}: aborts where {largest} bytes are refused\n{text}");
    }
}

/// From which size an allocation is refused in this kind of call.
fn large(scenario: &str) -> usize {
    match scenario {
        "create-shipped" => METADATA,
        "process-file" => DECODERS,
        _ => LARGE,
    }
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = fresh_folder("faults").join("sweep");
        // The functions of the allocator are for the libraries too.
        let flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-rdynamic"];
        compile("gcc", "gcc", &flags, &root().join("tests/faults/sweep.c"), &built);
        built
    })
}

fn sweep(scenario: &str, file: &str, faults: Faults) -> Outcome {
    let folder = program().parent().unwrap();
    let mut command = Command::new(program());
    command.args([scenario, if faults.all { "all" } else { "one" }, &faults.least.to_string()]);
    command.args([if faults.own { "voiceflow" } else { "any" }, &faults.points.to_string()]);
    command.arg(root().join("tests/data/audio").join(file)).env("VF_TEST_FOLDER", folder);
    let text = stdout(environment(&mut command));
    let outcome = Outcome::read(&text);
    outcome.check(scenario, &text);
    outcome
}

/// Runs all kinds of calls, and prints how they ended.
fn sweep_all(name: &str, faults: Faults) -> Outcome {
    let mut sum = Outcome::default();
    for scenario in SCENARIOS {
        let files = if scenario == "process-file" { &FILES[..] } else { &FILES[..1] };
        let mut outcome = Outcome::default();
        // Where only large ones fail, they are those that are refused.
        let least = if faults.least > 1 { large(scenario) } else { 1 };
        files.iter().for_each(|file| outcome.add(sweep(scenario, file, Faults { least, ..faults })));
        print_line(scenario, &outcome);
        sum.add(outcome);
    }
    print_line(name, &sum);
    sum
}

fn print_line(name: &str, outcome: &Outcome) {
    let Outcome { allocations, calls, ok, refused, foreign_aborts, foreign_signals, .. } = outcome;
    let (own, largest) = (outcome.own_aborts.len(), outcome.own_aborts.iter().max().copied().unwrap_or(0));
    println!(
        "{name}: {calls} of {allocations} allocations failed: {refused} refused, {ok} not needed, {own} aborts of the \
         library's own (at most {largest} bytes), {foreign_aborts} aborts and {foreign_signals} signals of others"
    );
}

#[test]
fn what_an_input_sizes_is_refused() {
    let faults = Faults { all: false, least: LARGE, own: true, points: 12 };
    let outcome = sweep_all("large, one", faults);
    assert_eq!(outcome.deaths(), 0);
    assert!(outcome.refused > 20, "{outcome:?}");
    let faults = Faults { all: true, points: 3, ..faults };
    assert_eq!(sweep_all("large, all", faults).deaths(), 0);
}

#[test]
#[ignore = "takes minutes: make test-faults"]
fn every_kind_of_allocation() {
    for all in [false, true] {
        for own in [false, true] {
            let name = format!("{}, {}", if all { "all" } else { "one" }, if own { "own" } else { "any" });
            sweep_all(&name, Faults { all, least: 1, own, points: 24 });
        }
    }
}
