//! Audio that comes through standard input and pipes.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{CONVERSATION, Said, output, root, run, say, voiceflow};

fn mkfifo(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs a line of a shell with the program as `$0`.
pub fn shell(line: &str) -> Said {
    let program = voiceflow();
    let mut command = Command::new("bash");
    command.arg("-c").arg(line).arg(env!("CARGO_BIN_EXE_voiceflow")).current_dir(root());
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    say(&mut command)
}

#[test]
fn every_way_to_name_a_pipe_gives_what_the_file_gives() {
    let file = output(&["diarize", "--format", "rttm", CONVERSATION]);
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo);
    let fifo = fifo.display();
    let diarize = r#""$0" diarize --format rttm"#;
    for line in [
        format!("cat {CONVERSATION} | {diarize} -"),
        format!("cat {CONVERSATION} | {diarize} /dev/stdin"),
        format!("{diarize} - < {CONVERSATION}"),
        format!("{diarize} <(cat {CONVERSATION})"),
        format!("cat {CONVERSATION} > {fifo} & {diarize} {fifo}"),
    ] {
        let said = shell(&line);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line}");
        // The name of the recording is that of the pipe.
        let without_name = |text: &str| -> Vec<String> {
            let rest = |line: &str| line.split(' ').skip(2).collect::<Vec<_>>().join(" ");
            text.lines().map(rest).collect()
        };
        assert_eq!(without_name(&said.out), without_name(&file), "{line}");
    }
    let said = shell(&format!("cat {CONVERSATION} | {diarize} -"));
    assert!(said.out.starts_with("SPEAKER stdin 1 "), "{}", said.out);
}

#[test]
fn the_deadline_holds_while_nobody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo);
    let said = run(&["diarize", "--deadline", "0.5", fifo.to_str().unwrap()]);
    let expected =
        format!("voiceflow: {}: deadline of 500 ms passed while analysing the audio\n", fifo.display());
    assert_eq!((said.code, said.err), (1, expected));
    // An open pipe that gives a part and no more.
    let mut command = voiceflow();
    command.args(["diarize", "--deadline", "0.5", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"RIFF\xff\xff\xff\xffWAVE").unwrap();
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(text, "voiceflow: -: deadline of 500 ms passed while analysing the audio\n");
}

#[test]
fn standard_input_is_read_once_and_may_be_empty() {
    let said = shell(r#""$0" diarize - - < /dev/null"#);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("-: expected standard input once, got it 2 times"), "{}", said.err);
    let said = shell(r#"true | "$0" diarize -"#);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("got an empty file (0 bytes)"), "{}", said.err);
}
