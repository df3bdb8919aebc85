//! The C++ interface from C++: tests/cpp compiled as C++17, C++20 and C++23 without a warning, with
//! and without exceptions, and run plain or with AddressSanitizer and UndefinedBehaviorSanitizer;
//! and that it leaves out nothing of the C interface.
//!
//! The standard's own headers are most of what a compiler reads here: they are read once for each
//! way to compile, and a check that needs no program makes none.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::{arguments, compile, prefix};
use crate::support::{fresh_folder, header_functions, root, run, tool};

/// Those that throw.
const PROGRAMS: [&str; 10] = [
    "basics", "handles", "diarizer", "sources", "session", "reload", "stream", "gallery", "threads",
    "endings",
];

const STRICT: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];

/// The last by the name that compilers older than gcc 14 know, and newer ones too.
const STANDARDS: [(&str, &str); 3] = [("-std=c++17", "17"), ("-std=c++20", "20"), ("-std=c++2b", "23")];

const NO_EXCEPTIONS: [&str; 2] = ["-fno-exceptions", "-fno-rtti"];

/// ASan and UBSan; the first fault ends the program.
const SANITIZERS: [&str; 5] = [
    "-std=c++17",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// Compiles the programs into a folder of their own.
fn build(name: &str, compiler: &str, more: &[&str], programs: &[&str]) -> Vec<PathBuf> {
    let folder = fresh_folder(&format!("cpp-{name}"));
    let flags = [&STRICT, more, &["-pthread"]].concat();
    let precompiled = if programs.len() > 1 { precompile(compiler, &flags, &folder) } else { Vec::new() };
    let flags = [flags, precompiled.iter().map(String::as_str).collect()].concat();
    let build_one = |program: &&str| {
        let built = folder.join(program);
        compile(compiler, compiler, &flags, &program_source(program), &built);
        built
    };
    programs.iter().map(build_one).collect()
}

fn program_source(program: &str) -> PathBuf {
    root().join(format!("tests/cpp/{program}.cpp"))
}

/// Compiles what the programs share for these flags, into `folder`. Returns the flags by which a
/// program takes it; a compiler that cannot take it says so, which is an error by the other flags.
fn precompile(compiler: &str, flags: &[&str], folder: &Path) -> Vec<String> {
    let header = folder.join("support.hpp");
    std::fs::copy(root().join("tests/cpp/support.hpp"), &header).unwrap();
    let (output, language) = (folder.join("support.hpp.gch"), ["-x", "c++-header"]);
    run(tool(compiler, compiler)
        .args(flags)
        .arg(include())
        .args(language)
        .arg(&header)
        .arg("-o")
        .arg(output));
    vec!["-Winvalid-pch".into(), "-include".into(), header.display().to_string()]
}

/// The flag by which a compiler finds the installed headers.
fn include() -> String {
    format!("-I{}", prefix().join("include").display())
}

/// What the compiler says of a source of which it makes nothing; whether it would.
fn look(flags: &[&str], source: &Path) -> (bool, String) {
    let mut compiler = tool("g++", "g++");
    let output =
        compiler.args(STRICT).args(flags).arg(include()).arg("-fsyntax-only").arg(source).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The compiler takes the source without a warning.
fn accept(flags: &[&str], source: &Path) {
    let (accepted, said) = look(flags, source);
    assert!(accepted && said.is_empty(), "{flags:?} {}: {said}", source.display());
}

/// Runs the programs, which say nothing unless they fail.
fn run_all(programs: &[PathBuf]) {
    for program in programs {
        let mut command = Command::new("env");
        command.env("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1");
        command.env("UBSAN_OPTIONS", "print_stacktrace=1");
        let suppressions = root().join("tests/c/lsan.supp");
        command.env("LSAN_OPTIONS", format!("suppressions={}:print_suppressions=0", suppressions.display()));
        let output = run(arguments(&mut command, program));
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{} printed: {}",
            program.display(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
        );
    }
}

/// Run as the newest standard, which has most of what a header chooses by it; as the oldest with
/// sanitizers, below.
#[test]
fn throwing() {
    let (standard, name) = STANDARDS[2];
    run_all(&build(name, "g++", &[standard], &PROGRAMS));
    PROGRAMS.iter().for_each(|program| accept(&[STANDARDS[1].0, "-pthread"], &program_source(program)));
}

#[test]
fn cxx17_sanitized() {
    run_all(&build("17-sanitized", "g++", &SANITIZERS, &PROGRAMS));
    let without = [SANITIZERS.as_slice(), &NO_EXCEPTIONS].concat();
    run_all(&build("17-expected-sanitized", "g++", &without, &["expected"]));
}

/// With the header's own `expected`, with the standard library's, and chosen by a program that has
/// exceptions.
#[test]
fn without_exceptions() {
    for (standard, name) in STANDARDS {
        let flags = [[standard].as_slice(), &NO_EXCEPTIONS].concat();
        run_all(&build(&format!("expected-{name}"), "g++", &flags, &["expected"]));
    }
    run_all(&build("expected-chosen", "g++", &["-std=c++17", "-DVOICEFLOW_NO_EXCEPTIONS"], &["expected"]));
}

/// Where failures are not thrown, a program that does not look at one is warned.
#[test]
fn an_answer_that_is_not_looked_at_is_no_program() {
    let calls = ["o.set_threads(1);", "s.reset();", "s.push(voiceflow::span<const float>());"];
    let functions = calls.iter().enumerate().map(|(number, call)| {
        format!(
            "void f{number}(voiceflow::Options &, voiceflow::Stream &);\n\
             void f{number}([[maybe_unused]] voiceflow::Options &o, [[maybe_unused]] voiceflow::Stream &s) {{ {call} }}\n"
        )
    });
    let source = fresh_folder("cpp-ignored").join("ignored.cpp");
    std::fs::write(&source, format!("#include <voiceflow.hpp>\n{}", functions.collect::<String>())).unwrap();
    for (standard, _) in STANDARDS {
        accept(&[standard], &source);
        let (accepted, said) = look(&[standard, "-fno-exceptions"], &source);
        // An error in the function of each call.
        let functions = (0..calls.len()).map(|number| format!("void f{number}("));
        assert!(!accepted && said.matches("[-Werror=unused-result]").count() == calls.len(), "{said}");
        assert!(functions.into_iter().all(|function| said.contains(&function)), "{said}");
    }
}

/// Where there is one.
#[test]
fn clang() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("clang++").is_file()) {
        println!("1 skipped: no clang++ here");
        return;
    }
    run_all(&build("clang", "clang++", &["-std=c++17"], &PROGRAMS));
    let flags = [["-std=c++20"].as_slice(), &NO_EXCEPTIONS].concat();
    run_all(&build("clang-expected", "clang++", &flags, &["expected"]));
}

/// Files that throw and files that do not make one program, whatever the standards they are
/// compiled for.
#[test]
fn both_styles_in_one_program() {
    let folder = fresh_folder("cpp-styles");
    let object = |program: &str, standard: &str, style: &[&str]| {
        let built = folder.join(format!("{program}{standard}.o"));
        let flags = [&STRICT, [standard, "-c"].as_slice(), style].concat();
        compile("g++", "g++", &flags, &program_source(program), &built);
        built
    };
    let main = object("styles", STANDARDS[0].0, &[]);
    for (standard, name) in STANDARDS {
        let others =
            [object("styles_expected", standard, &NO_EXCEPTIONS), object("styles_standard", standard, &[])];
        let program = folder.join(format!("styles-{name}"));
        compile("g++", "g++", &others.each_ref().map(|other| other.to_str().unwrap()), &main, &program);
        run_all(&[program]);
    }
}

/// A program compiled with headers of another ABI makes no handle.
#[test]
fn another_abi_is_refused() {
    let folder = fresh_folder("cpp-abi");
    let header = std::fs::read_to_string(prefix().join("include/voiceflow.h")).unwrap();
    let number = format!("#define VF_ABI_VERSION {}\n", voiceflow::ffi::version::VF_ABI_VERSION);
    assert!(header.contains(&number));
    std::fs::write(folder.join("voiceflow.h"), header.replace(&number, "#define VF_ABI_VERSION 99\n"))
        .unwrap();
    let program = folder.join("abi");
    let include = format!("-I{}", folder.display());
    compile("g++", "g++", &["-std=c++17", &include], &root().join("tests/cpp/abi.cpp"), &program);
    run_all(&[program]);
}

/// Each header alone, as a user's first file.
#[test]
fn each_header_stands_alone() {
    let folder = fresh_folder("cpp-alone");
    let mut headers = headers();
    assert!(headers.len() > 10, "{headers:?}");
    headers.push(root().join("include/voiceflow.hpp"));
    for header in headers {
        let name = header.strip_prefix(root().join("include")).unwrap().display().to_string();
        let source = folder.join("alone.cpp");
        std::fs::write(&source, format!("#include <{name}>\n#include <{name}>\nint main() {{}}\n")).unwrap();
        accept(&["-std=c++17"], &source);
        accept(&["-std=c++2b", "-fno-exceptions"], &source);
    }
}

/// Files of the C++ interface but its front.
fn headers() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("include/voiceflow")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The code of a C++ file without what its comments say.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every function of the C interface is called, and every number of its enums has a name.
#[test]
fn nothing_of_the_c_interface_is_left_out() {
    let code = headers().iter().map(|path| code(path)).collect::<Vec<_>>().join("\n");
    let words: Vec<&str> = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let functions = header_functions();
    assert!(functions.len() > 80, "found only {}", functions.len());
    for (function, ..) in functions {
        assert!(words.contains(&function.as_str()), "{function}: not in include/voiceflow");
    }
    let header = std::fs::read_to_string(root().join("include/voiceflow.h")).unwrap();
    let numbers = header.lines().filter_map(|line| line.strip_prefix("    VF_")?.split_once(" = "));
    let numbers: Vec<String> = numbers.map(|(name, _)| format!("VF_{name}")).collect();
    assert!(numbers.len() > 40, "found only {}", numbers.len());
    // Told to no progress callback.
    let untold = ["VF_STAGE_WAITING", "VF_STAGE_LOADING"];
    for number in numbers.iter().filter(|number| !untold.contains(&number.as_str())) {
        assert!(words.contains(&number.as_str()), "{number}: not in include/voiceflow");
    }
}
