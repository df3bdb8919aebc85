//! `voiceflow info` and `voiceflow completions`.

use crate::support::{CONVERSATION, output};

#[test]
fn info_names_versions_runtime_and_model() {
    let text = output(&["info"]);
    for line in ["voiceflow     ", "ABI           ", "ONNX Runtime  ", "providers     cpu", "model         "]
    {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}: {text}");
    }
    for flag in [
        "--clustering ",
        "--clustering-threshold 0.",
        "--hop ",
        "--min-speech ",
        "--min-silence ",
        "--threshold 0.",
        "--latency ",
    ] {
        assert!(text.contains(&format!(" {flag}")), "{flag}: {text}");
    }
    assert!(text.contains("\n  tuning      {\"clustering\":\""), "{text}");
    let sha256 = text.lines().find_map(|line| line.trim().strip_prefix("sha256")).unwrap().trim();
    assert!(sha256.len() == 64 && sha256.chars().all(|c| c.is_ascii_hexdigit()), "{sha256}");
}

/// The defaults are flags: given as they stand, they change nothing.
#[test]
fn the_defaults_of_a_model_are_flags() {
    let text = output(&["info", "--models", "fast-cnn"]);
    let at = text.find("--clustering ").unwrap_or_else(|| panic!("{text}"));
    let flags: Vec<&str> = text[at..].split_whitespace().collect();
    let without = |left_out: [&str; 2]| -> Vec<&str> {
        flags.chunks(2).filter(|pair| !left_out.contains(&pair[0])).flatten().copied().collect()
    };
    let diarize = ["diarize", "--models", "fast-cnn", "--format", "rttm", CONVERSATION];
    // One belongs to streams and one to galleries.
    let given = [&diarize[..], &without(["--latency", "--threshold"])].concat();
    assert_eq!(output(&given), output(&diarize));
}

#[test]
fn interruption_is_among_the_exit_codes() {
    assert!(output(&["--help"]).contains("\n  130  interrupted by Ctrl-C"));
}

#[test]
fn completions_for_each_shell_know_every_command() {
    for (shell, mark) in [("bash", "complete -F"), ("zsh", "#compdef voiceflow"), ("fish", "complete -c")] {
        let script = output(&["completions", shell]);
        assert!(script.contains(mark), "{shell}");
        for command in [
            "diarize",
            "score",
            "validate",
            "import-model",
            "bench",
            "info",
            "num-speakers",
            "segmentation-model",
            "models",
        ] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}
