//! `voiceflow info` and `voiceflow completions`.

use crate::support::output;

#[test]
fn info_names_versions_runtime_and_model() {
    let text = output(&["info"]);
    for line in ["voiceflow     ", "ABI           ", "ONNX Runtime  ", "providers     cpu", "model         "]
    {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}: {text}");
    }
    let sha256 = text.lines().find_map(|line| line.trim().strip_prefix("sha256")).unwrap().trim();
    assert!(sha256.len() == 64 && sha256.chars().all(|c| c.is_ascii_hexdigit()), "{sha256}");
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
