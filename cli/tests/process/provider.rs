//! A provider that the runtime lacks: an error where it is required, a warning where it is
//! preferred. Runs with the runtime of scripts/fetch_runtime.sh, which is built for the processor
//! alone.

use crate::support::{CONVERSATION, failure, output, run};

const MISSING: &str = "provider: expected cuda, which is not available";

#[test]
fn required() {
    let said = run(&["diarize", "--provider", "cuda", "--require-provider", CONVERSATION]);
    assert!(failure(&said).starts_with(&format!("--{MISSING}")), "{said:?}");
    assert_eq!(said.out, "");
}

#[test]
fn preferred() {
    let said = run(&["diarize", "--provider", "cuda", "--format", "rttm", CONVERSATION]);
    assert_eq!(said.code, 0);
    assert!(said.err.starts_with(&format!("voiceflow: warning: {MISSING}")), "{}", said.err);
    assert!(said.err.ends_with("; the network runs on the CPU\n"), "{}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert_eq!(said.out, output(&["diarize", "--provider", "cpu", "--format", "rttm", CONVERSATION]));
}
