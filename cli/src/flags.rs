//! The library names its options in errors; a user of the command line knows the flags that set
//! them.

use voiceflow::InvalidArgument;

/// Options whose flags have another name. The others' are the option's with `-` for `_`.
const RENAMED: [(&str, &str); 14] = [
    ("bundle", "--models"),
    ("cache_folder", "--cache"),
    ("device_memory_limit", "--device-memory"),
    ("history_s", "--history"),
    ("hop_s", "--hop"),
    ("latency_s", "--latency"),
    ("min_silence_s", "--min-silence"),
    ("min_speech_s", "--min-speech"),
    ("receptive_field_size", "--receptive-field SIZE"),
    ("receptive_field_step", "--receptive-field STEP"),
    ("runtime_library", "--runtime"),
    ("sample rate", "--rate"),
    ("clustering_method", "--clustering"),
    ("model_path", "--model"),
];

/// Options whose flags are spelled as they are.
const SAME: [&str; 15] = [
    "channels",
    "clustering_threshold",
    "device_id",
    "embedding_model",
    "frontend",
    "max_speakers",
    "min_cluster_size",
    "min_speakers",
    "num_speakers",
    "plda",
    "provider",
    "segmentation_model",
    "telemetry",
    "threads",
    "threshold",
];

/// What is wrong with an argument, in the name of the flag that sets it.
pub fn in_flags(argument: &InvalidArgument) -> String {
    let name = flag(&argument.name).unwrap_or_else(|| argument.name.to_string());
    let value = argument.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
    format!("{name}{value}: {}", argument.reason)
}

fn flag(option: &str) -> Option<String> {
    let renamed = RENAMED.iter().find(|(name, _)| *name == option).map(|(_, flag)| (*flag).to_owned());
    renamed.or_else(|| SAME.contains(&option).then(|| format!("--{}", option.replace('_', "-"))))
}

#[cfg(test)]
mod tests {
    use voiceflow::{Config, Error};

    use super::*;

    fn argument(error: Error) -> InvalidArgument {
        match error {
            Error::InvalidArgument(argument) => argument,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn options_become_flags() {
        let mut config = Config::default();
        for (error, expected) in [
            (config.set_threads(1000), "--threads: expected 0 to 256, got 1000"),
            (config.set_hop(f64::NAN), "--hop: expected 0.1 to 60, got NaN"),
            (
                config.set_segmentation_receptive_field(0, 1),
                "--receptive-field SIZE: expected 1 to 160000, got 0",
            ),
        ] {
            assert_eq!(in_flags(&argument(error.unwrap_err())), expected);
        }
        let error = voiceflow::model::find_bundle("nowhere").unwrap_err();
        assert!(in_flags(&argument(error)).starts_with("--models nowhere: expected a folder"));
    }
}
