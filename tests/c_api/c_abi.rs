//! The C interface from C: tests/c compiled from C99 to C23 and as C++17, without a warning, and
//! run plain, with AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind. What is run
//! with sanitizers is not run once more without them, where no other standard is meant.

use std::path::PathBuf;
use std::process::Command;

use crate::support::installed::{arguments, compile};
use crate::support::{fresh_folder, root, run, tool};

const PROGRAMS: [&str; 21] = [
    "basics",
    "options",
    "log",
    "nulls",
    "lifetimes",
    "destroy",
    "session",
    "reload",
    "cache",
    "diarizer",
    "sources",
    "stream",
    "gallery",
    "models",
    "threads",
    "call",
    "cancel",
    "few_threads",
    "fork",
    "endings",
    "stacks",
];

const STRICT: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-g"];

/// ASan and UBSan; the first fault ends the program.
const SANITIZERS: [&str; 3] =
    ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// A language standard and the compiler for it.
struct Language {
    compiler: &'static str,
    flags: &'static [&'static str],
}

const C99: Language = Language { compiler: "gcc", flags: &["-std=c99"] };
const C11: Language = Language { compiler: "gcc", flags: &["-std=c11"] };
/// The name by which compilers older than gcc 14 know C23, and newer ones too.
const C23: Language = Language { compiler: "gcc", flags: &["-std=c2x"] };
const CXX17: Language = Language { compiler: "g++", flags: &["-x", "c++", "-std=c++17"] };

/// Compiles the programs into a folder of their own.
fn build(name: &str, language: &Language, more: &[&str], programs: &[&str]) -> Vec<PathBuf> {
    let folder = fresh_folder(&format!("c-{name}"));
    let flags = [&STRICT, more, &["-pthread"], language.flags].concat();
    let build_one = |program: &&str| {
        let source = root().join(format!("tests/c/{program}.c"));
        let built = folder.join(program);
        compile(language.compiler, language.compiler, &flags, &source, &built);
        built
    };
    programs.iter().map(build_one).collect()
}

fn run_plain(programs: &[PathBuf]) {
    for program in programs {
        let output = run(arguments(&mut Command::new("env"), program));
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{} printed: {}",
            program.display(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
        );
    }
}

/// Those that fork, as what AddressSanitizer's allocator has locked for another thread at the fork
/// stays locked in the child, which then hangs; and the one that measures stacks, which are larger
/// there.
const NOT_SANITIZED: [&str; 3] = ["fork", "endings", "stacks"];

/// Compiles all, with sanitizers and without, and runs all with sanitizers but those that cannot.
fn run_sanitized(name: &str, language: &Language) {
    let plain = build(name, language, &[], &PROGRAMS);
    let cannot = |program: &PathBuf| NOT_SANITIZED.iter().any(|name| program.ends_with(name));
    run_plain(&plain.into_iter().filter(cannot).collect::<Vec<_>>());
    let sanitized: Vec<&str> =
        PROGRAMS.into_iter().filter(|program| !NOT_SANITIZED.contains(program)).collect();
    let programs = build(&format!("{name}-sanitized"), language, &SANITIZERS, &sanitized);
    let suppressions =
        format!("suppressions={}:print_suppressions=0", root().join("tests/c/lsan.supp").display());
    for program in &programs {
        let mut command = Command::new("env");
        command.env("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1");
        command.env("UBSAN_OPTIONS", "print_stacktrace=1").env("LSAN_OPTIONS", &suppressions);
        run(arguments(&mut command, program));
    }
}

/// Run plain as the oldest standard and as the newest; those between, and C++, with sanitizers.
#[test]
fn c99() {
    run_plain(&build("c99", &C99, &[], &PROGRAMS));
}

#[test]
fn c23() {
    run_plain(&build("c23", &C23, &[], &PROGRAMS));
}

/// What the leak checkers cannot see, because ONNX Runtime's own leaks are left out there.
#[test]
fn nothing_grows() {
    run_plain(&build("c11-leaks", &C11, &[], &["leaks"]));
}

#[test]
fn c11_sanitized() {
    run_sanitized("c11", &C11);
}

#[test]
fn cxx17_sanitized() {
    run_sanitized("cxx17", &CXX17);
}

/// The programs that a processor some fifty times slower gets through: together they make, use and
/// destroy every type of handle.
#[test]
fn c11_under_valgrind() {
    let suppressions = root().join("tests/c/valgrind.supp");
    for program in build("c11-valgrind", &C11, &[], &["basics", "options", "log", "nulls", "lifetimes"]) {
        let mut command = tool("valgrind", "valgrind");
        command.args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite",
        ]);
        command.arg(format!("--suppressions={}", suppressions.display()));
        run(arguments(&mut command, &program));
    }
}

/// The header alone, as a user's first file.
#[test]
fn the_header_stands_alone() {
    let folder = fresh_folder("c-header");
    for (language, name) in [(&C99, "alone.c"), (&CXX17, "alone.cpp")] {
        let source = folder.join(name);
        std::fs::write(
            &source,
            "#include <voiceflow.h>\nint main(void) { return vf_abi_version() == VF_ABI_VERSION ? 0 : 1; }\n",
        )
        .unwrap();
        let built = folder.join(format!("{name}.out"));
        let flags = [&STRICT, language.flags].concat();
        compile(language.compiler, language.compiler, &flags, &source, &built);
        run(&mut Command::new(built));
    }
}
