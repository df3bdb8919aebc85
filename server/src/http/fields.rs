//! What is asked of a recording, as LocalAI, NeMo-Speech.cpp and SGLang-Omni name it. Fields that
//! nobody knows are ignored.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use voiceflow::Error;
use voiceflow::audio::{Channels, Tracks};
use voiceflow::call::MAX_SPEAKERS;
use voiceflow::transcript::{self, Word};

use super::answering::Asked;
use super::error::ApiError;
use crate::work::Options;

/// Most bytes that an allocator takes for a text beside its own. Words are many and short.
const BESIDE_TEXT: usize = 32;

/// Form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Format {
    /// Segments and speakers.
    #[default]
    Json,
    /// The same, with what segments overlap and the model.
    VerboseJson,
    /// RTTM, a line for each segment.
    Rttm,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
    /// Lines of JSON: progress, then the result.
    Ndjson,
    /// Words with their speakers, as OpenAI's transcriptions have them.
    DiarizedJson,
}

/// The forms by their names.
const FORMATS: [(&str, Format); 7] = [
    ("json", Format::Json),
    ("verbose_json", Format::VerboseJson),
    ("rttm", Format::Rttm),
    ("srt", Format::Srt),
    ("vtt", Format::Vtt),
    ("ndjson", Format::Ndjson),
    ("diarized_json", Format::DiarizedJson),
];

/// The fields of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) model: Option<String>,
    /// What recordings that belong together have in common.
    pub(super) key: Option<String>,
    pub(super) options: Options,
    pub(super) format: Format,
    /// Words of a recogniser, each of which gets a speaker.
    pub(super) words: Option<Vec<Word>>,
    /// Whether speakers have their voice embeddings, which are biometric data.
    pub(super) embeddings: bool,
    /// Longest time until the answer.
    pub(super) deadline: Option<Duration>,
    /// The gallery that is asked who the speakers are.
    pub(super) gallery: Option<String>,
    /// Cosine similarity from which a speaker is one of its voices.
    pub(super) name_threshold: Option<f32>,
}

impl Fields {
    /// Takes a field.
    ///
    /// # Errors
    /// A value that is none, or out of range, by the field's name.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let value = value.trim();
        // Forms send what was left empty.
        if value.is_empty() {
            return Ok(());
        }
        match name {
            "model" => self.model = Some(value.to_owned()),
            "key" => self.key = Some(value.to_owned()),
            "num_speakers" => self.options.num_speakers = Some(number(name, value, 1..=MAX_SPEAKERS)?),
            "min_speakers" => self.options.min_speakers = Some(number(name, value, 0..=MAX_SPEAKERS)?),
            "max_speakers" => self.options.max_speakers = Some(number(name, value, 1..=MAX_SPEAKERS)?),
            "clustering_threshold" => {
                self.options.clustering_threshold = Some(number(name, value, 0.0..=2.0)?)
            }
            "min_duration_on" => self.options.min_speech_s = Some(number(name, value, 0.0..=60.0)?),
            "min_duration_off" => self.options.min_silence_s = Some(number(name, value, 0.0..=60.0)?),
            "channels" => self.options.channels = named(name, value)?,
            "track" => self.options.tracks = named(name, value)?,
            "response_format" => self.format = format(value)?,
            "embeddings" => self.embeddings = switch(name, value)?,
            "deadline" => {
                let seconds = number(name, value, 1.0..=86_400.0)?;
                self.deadline = Some(Duration::from_secs_f64(seconds));
            }
            "words" => {
                let parsed = transcript::parse(value);
                let mut words = parsed.map_err(|error| ApiError::invalid(name, error))?.words;
                words.shrink_to_fit();
                self.words = Some(words);
                // A word has one speaker.
                self.options.exclusive = true;
            }
            "gallery" => self.gallery = Some(value.to_owned()),
            "name_threshold" => self.name_threshold = Some(number(name, value, -1.0..=1.0)?),
            _ => {}
        }
        Ok(())
    }

    /// Bytes of memory that the texts take.
    pub(super) fn text_bytes(&self) -> u64 {
        let texts = [&self.model, &self.key, &self.gallery].into_iter().flatten().map(String::capacity);
        let words = self.words.iter().flatten().map(|word| word.text.capacity() + BESIDE_TEXT);
        let list = self.words.as_ref().map_or(0, |words| words.capacity() * size_of::<Word>());
        (texts.chain(words).sum::<usize>() + list) as u64
    }

    /// What decides which models answer.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            key: self.key.as_deref(),
            model: self.model.as_deref(),
            gallery: self.gallery.as_deref(),
            name_threshold: self.name_threshold,
        }
    }

    /// Checks what fields say together.
    ///
    /// # Errors
    /// The field that contradicts another.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let Options { num_speakers, min_speakers, max_speakers, .. } = self.options;
        if num_speakers.is_some() && min_speakers.or(max_speakers).is_some() {
            let reason = "expected without min_speakers and max_speakers, got both";
            return Err(ApiError::invalid("num_speakers", reason));
        }
        if let (Some(min), Some(max)) = (min_speakers, max_speakers)
            && min > max
        {
            let reason = format!("expected at most max_speakers ({max}), got {min}");
            return Err(ApiError::invalid("min_speakers", reason));
        }
        if self.words.is_none() && self.format == Format::DiarizedJson {
            return Err(ApiError::invalid(
                "words",
                "expected those of a recogniser with diarized_json, got none",
            ));
        }
        if self.words.is_some() && ![Format::DiarizedJson, Format::Srt, Format::Vtt].contains(&self.format) {
            let reason = "expected with response_format diarized_json, srt or vtt, got with another";
            return Err(ApiError::invalid("words", reason));
        }
        if self.name_threshold.is_some() && self.gallery.is_none() {
            return Err(ApiError::invalid("name_threshold", "expected with a gallery, got none"));
        }
        match self.options.config() {
            Ok(_) => Ok(()),
            Err(Error::InvalidArgument(argument)) => Err(ApiError::invalid(argument.name, argument.reason)),
            Err(error) => Err(ApiError::internal(&error)),
        }
    }

    /// Refuses what a recording of one speaker has no use for.
    ///
    /// # Errors
    /// The field.
    pub(super) fn of_one_voice(&self) -> Result<(), ApiError> {
        let Options { num_speakers, min_speakers, max_speakers, channels, tracks, .. } = self.options;
        for (name, asked) in [
            ("num_speakers", num_speakers.is_some()),
            ("min_speakers", min_speakers.is_some()),
            ("max_speakers", max_speakers.is_some()),
            ("channels", channels == Channels::Separate),
            ("track", tracks == Tracks::All),
            ("words", self.words.is_some()),
        ] {
            if asked {
                let reason = "expected none of several speakers, as one voice is taken from the recording";
                return Err(ApiError::invalid(name, reason));
            }
        }
        Ok(())
    }
}

fn number<T: FromStr + PartialOrd + Display>(
    name: &str,
    value: &str,
    range: RangeInclusive<T>,
) -> Result<T, ApiError> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        ApiError::invalid(name, format!("expected a number, {least} to {most}, got {value:?}"))
    })
}

/// What the library reads of text.
fn named<T: FromStr<Err = String>>(name: &str, value: &str) -> Result<T, ApiError> {
    value.parse().map_err(|reason: String| ApiError::invalid(name, reason))
}

fn switch(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ApiError::invalid(name, format!("expected true or false, got {value:?}"))),
    }
}

fn format(value: &str) -> Result<Format, ApiError> {
    let known = FORMATS.iter().find(|(name, _)| *name == value);
    known.map(|(_, format)| *format).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
        ApiError::invalid("response_format", format!("expected one of {}, got {value:?}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Result<Fields, String> {
        let mut fields = Fields::default();
        let set = pairs.iter().try_for_each(|(name, value)| fields.set(name, value));
        match set.and_then(|()| fields.check()) {
            Ok(()) => Ok(fields),
            Err(error) => Err(serde_json::to_value(error.body()).unwrap()["error"]["message"]
                .as_str()
                .unwrap()
                .to_owned()),
        }
    }

    #[test]
    fn fields_are_taken_by_the_names_of_others() {
        let given = fields(&[
            ("num_speakers", "3"),
            ("clustering_threshold", "0.5"),
            ("min_duration_on", "0.2"),
            ("min_duration_off", ""),
            ("channels", "separate"),
            ("track", "2"),
            ("response_format", "rttm"),
            ("embeddings", "True"),
            ("deadline", "1.5"),
            ("temperature", "hot"),
        ])
        .unwrap();
        let options = Options {
            num_speakers: Some(3),
            clustering_threshold: Some(0.5),
            min_speech_s: Some(0.2),
            channels: Channels::Separate,
            tracks: Tracks::Only(1),
            ..Options::default()
        };
        assert_eq!((given.options, given.format, given.embeddings), (options, Format::Rttm, true));
        assert_eq!(given.deadline, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn the_limits_hold_and_one_over_is_refused_by_name() {
        for (name, most, over) in [
            ("num_speakers", "100", "101"),
            ("min_speakers", "100", "101"),
            ("max_speakers", "1", "0"),
            ("clustering_threshold", "2", "2.01"),
            ("min_duration_on", "60", "60.1"),
            ("min_duration_off", "0", "-0.1"),
            ("deadline", "86400", "nan"),
            ("channels", "32", "33"),
            ("track", "all", "0"),
            ("name_threshold", "1", "1.1"),
        ] {
            assert!(fields(&[("gallery", "team"), (name, most)]).is_ok(), "{name}");
            let error = fields(&[(name, over)]).unwrap_err();
            assert!(error.starts_with(name) && error.ends_with(&format!("got {over:?}")), "{error}");
        }
        let error = fields(&[("response_format", "xml")]).unwrap_err();
        assert_eq!(
            error,
            "response_format: expected one of json, verbose_json, rttm, srt, vtt, ndjson, diarized_json, got \"xml\""
        );
        assert_eq!(
            fields(&[("embeddings", "maybe")]).unwrap_err(),
            "embeddings: expected true or false, got \"maybe\""
        );
    }

    #[test]
    fn a_threshold_is_for_a_gallery() {
        let given = fields(&[("gallery", "team"), ("name_threshold", "-0.5")]).unwrap();
        assert_eq!((given.gallery.as_deref(), given.name_threshold), (Some("team"), Some(-0.5)));
        let error = fields(&[("name_threshold", "0.5")]).unwrap_err();
        assert_eq!(error, "name_threshold: expected with a gallery, got none");
    }

    #[test]
    fn one_voice_has_no_use_for_what_is_asked_of_several_speakers() {
        assert!(fields(&[("channels", "left"), ("track", "2")]).unwrap().of_one_voice().is_ok());
        for (name, value) in [("channels", "separate"), ("track", "all"), ("num_speakers", "2")] {
            assert!(fields(&[(name, value)]).unwrap().of_one_voice().is_err(), "{name}");
        }
    }

    #[test]
    fn words_come_with_a_form_that_has_them() {
        let words = ("words", r#"{"words":[{"word":"hello","start":0.5,"end":0.9}]}"#);
        let given = fields(&[words, ("response_format", "diarized_json")]).unwrap();
        assert!(given.words.is_some_and(|words| words.len() == 1) && given.options.exclusive);
        assert!(fields(&[words]).unwrap_err().starts_with("words: expected with response_format"));
        let error = fields(&[("response_format", "diarized_json")]).unwrap_err();
        assert_eq!(error, "words: expected those of a recogniser with diarized_json, got none");
        assert!(fields(&[("words", "{}")]).unwrap_err().starts_with("words: "));
    }

    #[test]
    fn texts_are_counted_as_they_lie_in_memory() {
        let given = fields(&[("model", "fast-cnn"), ("key", "call-1"), ("num_speakers", "3")]).unwrap();
        assert_eq!(given.text_bytes(), 14);
        // A few bytes of a form become a word with its times.
        let list = |item: &str| vec![item; 1000].join(",");
        let tokens = format!(r#"{{"tokens":[{}],"timestamps":[{}]}}"#, list("\"▁a\""), list("0"));
        let of_words = fields(&[("words", &tokens), ("response_format", "srt")]).unwrap();
        let least = 1000 * (size_of::<Word>() + 1) as u64;
        assert!((least..2 * least).contains(&of_words.text_bytes()), "{}", of_words.text_bytes());
    }

    #[test]
    fn numbers_of_speakers_that_contradict_each_other_are_refused() {
        assert!(fields(&[("min_speakers", "2"), ("max_speakers", "2")]).is_ok());
        let error = fields(&[("min_speakers", "3"), ("max_speakers", "2")]).unwrap_err();
        assert_eq!(error, "min_speakers: expected at most max_speakers (2), got 3");
        let error = fields(&[("num_speakers", "3"), ("max_speakers", "4")]).unwrap_err();
        assert_eq!(error, "num_speakers: expected without min_speakers and max_speakers, got both");
    }
}
