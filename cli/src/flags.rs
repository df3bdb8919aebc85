//! The library names its options in errors; a user of the command line knows the flags that set
//! them.

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

/// A text of the library with flags in place of options: at its start, and wherever a word can be
/// nothing else.
pub fn named(text: &str) -> String {
    let (mut named, rest) = subject(text).unwrap_or((String::new(), text));
    for word in split_words(rest) {
        match flag(word).filter(|_| word.contains('_')) {
            Some(flag) => named.push_str(&flag),
            None => named.push_str(word),
        }
    }
    named
}

/// The flag of the option that `text` is about, and the rest of it: "threads: expected …", "bundle
/// nowhere: expected …".
fn subject(text: &str) -> Option<(String, &str)> {
    let end = if text.starts_with("bundle ") { text.find(' ') } else { text.find(": ") };
    let (option, rest) = text.split_at_checked(end?)?;
    Some((flag(option)?, rest))
}

fn flag(option: &str) -> Option<String> {
    let renamed = RENAMED.iter().find(|(name, _)| *name == option).map(|(_, flag)| (*flag).to_owned());
    renamed.or_else(|| SAME.contains(&option).then(|| format!("--{}", option.replace('_', "-"))))
}

/// The words of a text and what stands between them, in order. A path is one word.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-');
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| in_word(c) != in_word(first)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn options_become_flags() {
        for (text, expected) in [
            ("threads: expected 0 to 256, got 1000", "--threads: expected 0 to 256, got 1000"),
            ("hop_s: expected 0.1 to 60, got NaN", "--hop: expected 0.1 to 60, got NaN"),
            (
                "min_speakers: expected at most max_speakers (2), got 3",
                "--min-speakers: expected at most --max-speakers (2), got 3",
            ),
            ("bundle nowhere: expected a folder", "--models nowhere: expected a folder"),
            ("sample rate: expected 1000 to 768000 Hz", "--rate: expected 1000 to 768000 Hz"),
        ] {
            assert_eq!(named(text), expected);
        }
    }

    #[test]
    fn other_words_stay() {
        for text in [
            "a.wav: too few threads",
            "/home/num_speakers/hop_s.wav: no such file",
            "the model is on provider cpu",
            "größe: threshold",
        ] {
            assert_eq!(named(text), text);
        }
    }
}
