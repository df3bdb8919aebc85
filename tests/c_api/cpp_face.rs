//! The C++ interface from C++: tests/cpp compiled as C++17, C++20 and C++23 without a warning, with
//! and without exceptions, and run plain and with AddressSanitizer and UndefinedBehaviorSanitizer;
//! and that it leaves out nothing of the C interface.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::{arguments, compile, prefix};
use crate::support::{fresh_folder, header_functions, root, run, tool};

/// Those that throw.
const PROGRAMS: [&str; 8] =
    ["basics", "handles", "diarizer", "session", "stream", "gallery", "threads", "endings"];

const STRICT: [&str; 7] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-g"];

/// The last by the name that compilers older than gcc 14 know, and newer ones too.
const STANDARDS: [(&str, &str); 3] = [("-std=c++17", "17"), ("-std=c++20", "20"), ("-std=c++2b", "23")];

const NO_EXCEPTIONS: [&str; 2] = ["-fno-exceptions", "-fno-rtti"];

/// Compiles the programs into a folder of their own.
fn build(name: &str, compiler: &str, more: &[&str], programs: &[&str]) -> Vec<PathBuf> {
    let folder = fresh_folder(&format!("cpp-{name}"));
    let flags = [&STRICT, more, &["-pthread"]].concat();
    let build_one = |program: &&str| {
        let built = folder.join(program);
        let source = root().join(format!("tests/cpp/{program}.cpp"));
        compile(compiler, compiler, &flags, &source, &built);
        built
    };
    programs.iter().map(build_one).collect()
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

#[test]
fn throwing() {
    for (standard, name) in STANDARDS {
        run_all(&build(name, "g++", &[standard], &PROGRAMS));
    }
}

#[test]
fn cxx17_sanitized() {
    let sanitizers = [
        "-std=c++17",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
    ];
    run_all(&build("17-sanitized", "g++", &sanitizers, &PROGRAMS));
    let without = [sanitizers.as_slice(), &NO_EXCEPTIONS].concat();
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
    let folder = fresh_folder("cpp-ignored");
    let compile = |call: &str, style: &[&str]| {
        let source = folder.join("ignored.cpp");
        let text = format!(
            "#include <voiceflow.hpp>\nvoid f(voiceflow::Options &, voiceflow::Stream &);\n\
             void f([[maybe_unused]] voiceflow::Options &o, [[maybe_unused]] voiceflow::Stream &s) {{ {call} }}\n"
        );
        std::fs::write(&source, text).unwrap();
        let include = format!("-I{}", prefix().join("include").display());
        let output = tool("g++", "g++")
            .args(STRICT)
            .args(style)
            .arg(&include)
            .arg("-fsyntax-only")
            .arg(&source)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for call in ["o.set_threads(1);", "s.reset();", "s.push(voiceflow::span<const float>());"] {
        for (standard, _) in STANDARDS {
            let (compiled, said) = compile(call, &[standard]);
            assert!(compiled, "{call} {said}");
            let (compiled, said) = compile(call, &[standard, "-fno-exceptions"]);
            assert!(!compiled && said.contains("nodiscard"), "{call} {said}");
        }
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
    for (standard, name) in STANDARDS {
        let object = folder.join(format!("expected-{name}.o"));
        let flags = [&STRICT, [standard, "-c"].as_slice(), &NO_EXCEPTIONS].concat();
        compile("g++", "g++", &flags, &root().join("tests/cpp/styles_expected.cpp"), &object);
        let other = folder.join(format!("standard-{name}.o"));
        let flags = [&STRICT, [standard, "-c"].as_slice()].concat();
        compile("g++", "g++", &flags, &root().join("tests/cpp/styles_standard.cpp"), &other);
        let program = folder.join(format!("styles-{name}"));
        let flags =
            [&STRICT, ["-std=c++17", object.to_str().unwrap(), other.to_str().unwrap()].as_slice()].concat();
        compile("g++", "g++", &flags, &root().join("tests/cpp/styles.cpp"), &program);
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
        let text = format!("#include <{name}>\n#include <{name}>\nint main() {{}}\n");
        std::fs::write(&source, text).unwrap();
        for style in [["-std=c++17"].as_slice(), &["-std=c++2b", "-fno-exceptions"]] {
            let flags = [&STRICT, style].concat();
            compile("g++", "g++", &flags, &source, &folder.join("alone"));
        }
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
