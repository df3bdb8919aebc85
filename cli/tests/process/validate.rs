//! `voiceflow validate`: each breach is named, and the exit code distinguishes good from bad.

use crate::support::{failure, output, run};

/// Every bad model, and how its breaches begin.
const BAD: [(&str, &[&str]); 19] = [
    ("activity_range", &["output `activity` on silence: expected values from 0 to 1, found "]),
    (
        "bad_numbers",
        &["metadata `voiceflow.version`: ", "metadata `voiceflow.thresholds`: expected `offset`"],
    ),
    ("extra_output", &["output `logits`: expected no such output"]),
    ("fixed_batch", &["input `audio`, axis 0 ", "output `activity`, axis 0 ", "output `embedding`, axis 0 "]),
    (
        "hidden_dim",
        &[
            "output `embedding` for input `audio` of shape [1, 160]: expected shape [1, 3, 8]",
            "on silence [1, 80000]: output `embedding`",
        ],
    ),
    ("later_tuning", &["metadata `voiceflow.tuning`: \"echo_s\": unknown to this version of the library, "]),
    ("lost_batch", &["output `activity`, axis 0 of [batch, frames, speakers]: expected a dynamic size"]),
    ("mixed_batch", &["batch: expected the same results for a row alone and among others"]),
    ("nan", &["output `embedding` on silence: expected finite values, found NaN"]),
    ("no_metadata", &["metadata `voiceflow.contract`: expected 1, found no such key"]),
    ("no_thresholds", &["metadata `voiceflow.thresholds`: expected a JSON object"]),
    ("not_unit", &["output `embedding` on noise: expected length 1 or zeros, found "]),
    ("wrong_contract", &["metadata `voiceflow.contract`: expected 1, found \"2\""]),
    ("wrong_dim", &["output `embedding`, axis 2 of [batch, speakers, dim]: expected 8, found 6"]),
    ("wrong_input", &["input `audio`: expected float32 [batch, samples], found only `waveform`"]),
    ("wrong_rank", &["input `audio`: expected [batch, samples], found "]),
    ("wrong_speakers", &["output `activity`, axis 2 of [batch, frames, speakers]: expected 4, found 3"]),
    ("wrong_tuning", &["metadata `voiceflow.tuning`: live_window_s: expected 0.1 to 60, found 0"]),
    ("wrong_type", &["input `audio`: expected float32, found f64"]),
];

fn fixture(name: &str) -> String {
    format!("tests/data/models/{name}.onnx")
}

#[test]
fn good_models() {
    let good = fixture("good");
    let text = output(&["validate", &good]);
    let facts = "  window    5 s, one every 0.5 s\n  frames    10 ms apart\n  speakers  3\n  voice     8 numbers\n  tuning    \
                 {\"clustering\":\"average\",\"trusted_s\":1.6,";
    assert!(text.starts_with(&format!("{good}: keeps the model contract\n{facts}")), "{text}");
    assert!(text.ends_with("}\n  runs on   cpu\n"), "{text}");
    let text = output(&["validate", "models/fast-cnn/1.0.1/model.onnx"]);
    assert!(
        text.contains("\n  tuning    {\"clustering\":\"vbx\",") && text.contains("\"short_hop_s\":1.6"),
        "{text}"
    );
}

#[test]
fn bad_models() {
    for (name, breaches) in BAD {
        let file = fixture(name);
        let said = run(&["validate", &file]);
        for breach in breaches {
            assert!(said.out.lines().any(|line| line.starts_with(breach)), "{name}: {}", said.out);
        }
        let count = said.out.lines().count();
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        assert_eq!(failure(&said), format!("{file}: breaks the model contract {times}"));
    }
}

#[test]
fn files_that_are_no_models() {
    for (path, reason) in [
        ("nowhere.onnx", "no such file"),
        ("tests", "expected a regular file, found a folder"),
        ("tests/data/audio/16k.flac", "not a valid ONNX model: "),
    ] {
        let said = run(&["validate", path]);
        assert!(failure(&said).starts_with(&format!("{path}: {reason}")), "{said:?}");
        assert_eq!(said.out, "");
    }
}

#[test]
fn diarize_refuses_a_bad_model() {
    let model = fixture("wrong_contract");
    let said = run(&["diarize", "--model", &model, crate::support::CONVERSATION]);
    let line = failure(&said);
    assert!(
        line.contains(&model) && line.contains("`voiceflow.contract`: expected 1, found \"2\""),
        "{line}"
    );
}

/// The networks of tests/data/families: family, whether frames are computed once and how far apart
/// in milliseconds, and dimension.
const EMBEDDINGS: [(&str, &str, Option<u32>, u32); 8] = [
    ("campplus", "3d-speaker", Some(20), 16),
    ("campplus_batch1", "3d-speaker", Some(20), 16),
    ("eres2net", "3d-speaker", Some(80), 12),
    ("eres2netv2", "3d-speaker", Some(80), 8),
    ("speakernet", "nemo", None, 16),
    ("titanet", "nemo", None, 16),
    ("wespeaker_ecapa", "wespeaker", None, 16),
    ("wespeaker_resnet34", "wespeaker", Some(80), 16),
];

fn family(name: &str) -> String {
    format!("tests/data/families/{name}.onnx")
}

#[test]
fn public_embedding_models() {
    for (name, toolkit, step, dim) in EMBEDDINGS {
        let file = family(name);
        let frames = match step {
            Some(step) => format!("computed once for all windows, {step} ms apart"),
            None => "computed for each window and speaker".to_owned(),
        };
        let facts = |features: &str| {
            format!(
                "{file}: a speaker embedding model\n  family    {toolkit}\n  features  80 mel bins, {features}\n  \
                 frames    {frames}\n  voice     {dim} numbers\n  runs on   cpu\n"
            )
        };
        assert_eq!(output(&["validate", "--provider", "cpu", &file]), facts("trained"));
        let given =
            ["validate", "--provider", "cpu", "--embedding-family", toolkit, "--frontend", "sherpa", &file];
        assert_eq!(output(&given), facts("sherpa"));
    }
}

#[test]
fn public_segmentation_models() {
    for name in ["segmentation", "segmentation_no_metadata"] {
        let file = family(name);
        let facts = "  window    10 s\n  frames    589 of 991 samples, 270 apart\n  speakers  3 in 7 classes\n  runs on   \
                     cpu\n";
        let expected = format!("{file}: a segmentation model\n{facts}");
        assert_eq!(output(&["validate", "--provider", "cpu", &file]), expected);
    }
}

#[test]
fn an_embedding_model_of_another_family_than_given() {
    let file = family("campplus");
    let said = run(&["validate", "--embedding-family", "nemo", &file]);
    let breach =
        format!("{file}: expected a speaker embedding network of the family nemo with inputs float32 ");
    assert!(said.out.starts_with(&breach) && said.out.lines().count() == 1, "{}", said.out);
    assert_eq!(failure(&said), format!("{file}: cannot be used as a speaker embedding model"));
}
