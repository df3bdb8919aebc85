//! What a model was tuned to: the numbers of diarization that are its own. They travel with it as a
//! JSON object: the metadata property `voiceflow.tuning` of a joint model or an embedding network,
//! or `tuning` in the metadata.json of a bundle, which goes before that of the file. What is not
//! said has the default given here; what this version does not know is refused.

mod stated;

use std::fmt;

pub(super) use stated::{Kind, Stated};

use crate::config::ClusteringMethod;
use crate::diarize::clustering::usual_threshold;

/// Similarity from which a voice is taken for one that is enrolled, of a model that does not say:
/// that of fast-cnn 1.0.1, with which about 1 % of strangers are taken for one of ten people
/// enrolled; docs/PERFORMANCE.md has how it was found.
pub(crate) const USUAL_IDENTITY_THRESHOLD: f32 = 0.5625;

/// The numbers of diarization that belong to a model. Serialized, it is the object that a model
/// file says it by.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Tuning {
    /// The method: never [`ClusteringMethod::Auto`].
    #[serde(serialize_with = "by_name")]
    pub clustering: ClusteringMethod,
    /// Solo speech, in seconds, from which a voice is trusted enough to be clustered by average
    /// linkage, or by VBx that it starts.
    pub trusted_s: f64,
    /// Share of the clustered voices that a speaker of average linkage has at least; `None` where
    /// instead two speakers of one window are never joined.
    pub min_cluster_share: Option<f64>,
    /// Solo speech, in seconds over all windows, that a speaker of average linkage has unless more
    /// speakers are asked for.
    pub least_speaker_s: f64,
    /// Fewest voices that VBx clusters where average linkage starts it; `None` for models without a
    /// PLDA of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vbx_voices: Option<usize>,
    /// Segments shorter than this many seconds are dropped, unless an option says otherwise.
    pub min_speech_s: f64,
    /// Pauses of one speaker shorter than this many seconds are filled, unless an option says
    /// otherwise.
    pub min_silence_s: f64,
    /// Length in seconds of the windows of a stream: short ones mix people up less where they end,
    /// long ones know voices better.
    pub live_window_s: f64,
    /// Time in seconds from one window of a stream to the next: how often provisional segments
    /// change.
    pub live_hop_s: f64,
    /// Distance, as a multiple of the clustering threshold, under which a voice of a stream is
    /// taken for a known speaker. Windows of a stream are shorter than those of a recording, and
    /// their voices less sure.
    pub live_link_factor: f32,
    /// Distance, as a multiple of the clustering threshold, from which a voice of a stream is a new
    /// speaker's.
    pub live_new_factor: f32,
    /// Solo speech in seconds from which what a stream remembers may be a person whom nobody was
    /// taken for.
    pub live_founding_s: f64,
    /// Time in seconds from one window as long as those of a stream to the next, where recordings
    /// gain by such windows beside the model's own; `None` where they do not.
    pub short_hop_s: Option<f64>,
    /// Length in seconds of the windows in which speech is analysed again that has fewer voices
    /// than speakers asked for.
    pub close_window_s: f64,
    /// Time in seconds from one of these windows to the next.
    pub close_hop_s: f64,
    /// What the contract of a joint model has keys of its own for, or what only pairs have; `None`
    /// for a joint model.
    #[serde(flatten)]
    pub pair: Option<PairTuning>,
}

/// The numbers of a segmentation and an embedding network together.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct PairTuning {
    /// Time in seconds from one window to the next.
    pub hop_s: f64,
    /// Longest piece of solo speech in seconds that is embedded once for all windows with it;
    /// `None` where what a local speaker says in a window is embedded as a whole.
    pub piece_s: Option<f64>,
    /// What the probability that nobody talks is multiplied by, where activity is the probability
    /// of each local speaker; `None` where it is 1 for those of the most probable set, else 0.
    pub silence_weight: Option<f64>,
    /// Solo speech in seconds that a voice is taken from, where there is as much.
    pub solo_s: f64,
    /// Distance, 0 to 2, under which two clusters of voices are one speaker, as the clustering
    /// measures it.
    pub clustering_threshold: f32,
    /// Cosine similarity, -1 to 1, from which a voice is taken for one that is enrolled in a
    /// gallery.
    pub identity_threshold: f32,
}

fn by_name<S: serde::Serializer>(method: &ClusteringMethod, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.name())
}

impl Tuning {
    /// That of a joint model which says `stated`; `has_plda` tells whether its file says how its
    /// voices vary.
    ///
    /// # Errors
    /// The key that cannot be, what was expected and what was found.
    pub(super) fn joint(stated: &Stated, has_plda: bool) -> Result<Self, String> {
        let usual = if has_plda { ClusteringMethod::Vbx } else { ClusteringMethod::Average };
        let clustering = stated.clustering().unwrap_or(usual);
        if clustering == ClusteringMethod::Vbx && !has_plda {
            let text =
                "clustering: expected average or centroid from a file without `voiceflow.plda`, found vbx";
            return Err(text.to_owned());
        }
        let vbx_voices = stated.number("vbx_voices", 50.0) as usize;
        Ok(Tuning { vbx_voices: has_plda.then_some(vbx_voices), ..Self::of_joint(stated, clustering) })
    }

    fn of_joint(stated: &Stated, clustering: ClusteringMethod) -> Self {
        Tuning {
            trusted_s: stated.number("trusted_s", 1.6),
            least_speaker_s: stated.number("least_speaker_s", 1.5),
            // The shortest syllables: five frames of 40 ms.
            min_speech_s: stated.number("min_speech_s", 0.2),
            live_window_s: stated.number("live_window_s", 3.2),
            short_hop_s: stated.optional("short_hop_s", Some(1.6)),
            ..Self::of_any(stated, clustering)
        }
    }

    /// That of a joint model without a PLDA which says nothing.
    pub(super) fn usual() -> Self {
        Self::of_joint(&Stated::default(), ClusteringMethod::Average)
    }

    /// That of a pair which says `stated`, and of it what pairs alone have.
    pub(super) fn pair(stated: &Stated) -> (Self, PairTuning) {
        let clustering = stated.clustering().unwrap_or(ClusteringMethod::Centroid);
        let threshold = stated.number("clustering_threshold", usual_threshold(clustering).into());
        let identity = stated.number("identity_threshold", USUAL_IDENTITY_THRESHOLD.into());
        let pair = PairTuning {
            // The best for the time of those tried from 1 s to 2.5 s on the tuning part of the real
            // conversations and on simulated ones.
            hop_s: stated.number("hop_s", 1.75),
            piece_s: stated.optional("piece_s", None),
            silence_weight: stated.optional("silence_weight", None),
            solo_s: stated.number("solo_s", 1.0),
            clustering_threshold: threshold as f32,
            identity_threshold: identity as f32,
        };
        (Tuning { pair: Some(pair), ..Self::of_any(stated, clustering) }, pair)
    }

    /// What has one default for both kinds of models, and that of a pair for the rest.
    fn of_any(stated: &Stated, clustering: ClusteringMethod) -> Self {
        Tuning {
            clustering,
            trusted_s: stated.number("trusted_s", 0.4),
            min_cluster_share: stated.optional("min_cluster_share", None),
            least_speaker_s: stated.number("least_speaker_s", 0.0),
            vbx_voices: None,
            min_speech_s: stated.number("min_speech_s", 0.0),
            min_silence_s: stated.number("min_silence_s", 0.0),
            // As in diart (Coria et al., ASRU 2021).
            live_window_s: stated.number("live_window_s", 5.0),
            live_hop_s: stated.number("live_hop_s", 0.4),
            // Chosen on simulated meetings of held-out speakers.
            live_link_factor: stated.number("live_link_factor", 1.45) as f32,
            live_new_factor: stated.number("live_new_factor", 1.55) as f32,
            live_founding_s: stated.number("live_founding_s", 3.0),
            short_hop_s: stated.optional("short_hop_s", None),
            close_window_s: stated.number("close_window_s", 2.0),
            close_hop_s: stated.number("close_hop_s", 0.5),
            pair: None,
        }
    }
}

impl fmt::Display for Tuning {
    /// The object that a model file says it by, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value};

    use super::stated::{KEYS, PROPERTY};
    use super::*;

    fn stated(text: &str, kind: Kind) -> Result<Stated, String> {
        Stated::of_file(&BTreeMap::from([(PROPERTY.to_owned(), text.to_owned())]), kind)
    }

    #[test]
    fn a_file_that_says_nothing_has_the_defaults() {
        let nothing = Stated::of_file(&BTreeMap::new(), Kind::Joint).unwrap();
        let joint = Tuning::joint(&nothing, true).unwrap();
        assert_eq!(
            joint.to_string(),
            r#"{"clustering":"vbx","trusted_s":1.6,"min_cluster_share":null,"least_speaker_s":1.5,"vbx_voices":50,"min_speech_s":0.2,"min_silence_s":0.0,"live_window_s":3.2,"live_hop_s":0.4,"live_link_factor":1.45,"live_new_factor":1.55,"live_founding_s":3.0,"short_hop_s":1.6,"close_window_s":2.0,"close_hop_s":0.5}"#
        );
        assert_eq!(
            Tuning::pair(&nothing).0.to_string(),
            r#"{"clustering":"centroid","trusted_s":0.4,"min_cluster_share":null,"least_speaker_s":0.0,"min_speech_s":0.0,"min_silence_s":0.0,"live_window_s":5.0,"live_hop_s":0.4,"live_link_factor":1.45,"live_new_factor":1.55,"live_founding_s":3.0,"short_hop_s":null,"close_window_s":2.0,"close_hop_s":0.5,"hop_s":1.75,"piece_s":null,"silence_weight":null,"solo_s":1.0,"clustering_threshold":0.7045655,"identity_threshold":0.5625}"#
        );
        let without_plda = Tuning::joint(&nothing, false).unwrap();
        assert_eq!((without_plda.clustering, without_plda.vbx_voices), (ClusteringMethod::Average, None));
    }

    /// An object in which each key has another value than the default.
    fn other_values(usual: &Tuning) -> Map<String, Value> {
        let Value::Object(object) = serde_json::to_value(usual).unwrap() else { panic!("no object") };
        let other = |(name, value): (String, Value)| {
            let value = match &value {
                Value::String(_) => "average".into(),
                Value::Null => 0.75.into(),
                Value::Number(number) if number.is_u64() => 7.into(),
                number => (number.as_f64().unwrap() / 2.0 + 0.125).into(),
            };
            (name, value)
        };
        object.into_iter().map(other).collect()
    }

    #[test]
    fn each_key_that_is_written_is_read() {
        for (kind, usual) in [
            (Kind::Joint, Tuning::joint(&Stated::default(), true).unwrap()),
            (Kind::Pair, Tuning::pair(&Stated::default()).0),
        ] {
            let object = other_values(&usual);
            assert_eq!(
                object.len(),
                1 + KEYS.iter().filter(|key| key.kind.is_none_or(|only| only == kind)).count()
            );
            let stated = Stated::new(object.clone(), kind).unwrap();
            let tuning = match kind {
                Kind::Joint => Tuning::joint(&stated, true).unwrap(),
                Kind::Pair => Tuning::pair(&stated).0,
            };
            let Value::Object(read) = serde_json::to_value(&tuning).unwrap() else { panic!("no object") };
            for (name, value) in &object {
                let near = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-6,
                    _ => a == b,
                };
                assert!(near(&read[name], value), "{name}: {} for {value}", read[name]);
            }
        }
    }

    #[test]
    fn tuning_outside_its_property_is_refused() {
        for key in ["voiceflow.clustering", "voiceflow.clustering_threshold"] {
            let properties = BTreeMap::from([(key.to_owned(), "0.3".to_owned())]);
            let expected = format!("metadata `{key}`: expected a key of `voiceflow.tuning` in its place");
            assert_eq!(Stated::of_file(&properties, Kind::Pair).unwrap_err(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let joint = |text: &str| stated(text, Kind::Joint).unwrap_err();
        let expected = "metadata `voiceflow.tuning`: expected a JSON object, found \"[1]\"";
        assert_eq!(joint("[1]"), expected);
        let expected = "metadata `voiceflow.tuning`: trusted_s: expected 0 to 60, found -1";
        assert_eq!(joint(r#"{"trusted_s": -1}"#), expected);
        assert!(joint(r#"{"trusted_s": null}"#).ends_with("trusted_s: expected 0 to 60, found null"));
        assert!(joint(r#"{"short_hop_s": []}"#).ends_with("expected 0.1 to 60, or null, found an array"));
        assert!(
            joint(r#"{"clustering": "k\nmeans"}"#)
                .ends_with(r#"average or centroid or vbx, found "k\nmeans""#)
        );
        let later = joint(r#"{"later": 1}"#);
        assert!(
            later.contains(
                "\"later\": unknown to this version of the library, expected clustering, trusted_s, "
            )
        );
        // Those of the other kind.
        assert!(joint(r#"{"hop_s": 1.0}"#).contains("\"hop_s\": unknown"));
        assert!(stated(r#"{"vbx_voices": 1}"#, Kind::Pair).unwrap_err().contains("\"vbx_voices\": unknown"));
        let vbx = stated(r#"{"clustering": "vbx"}"#, Kind::Pair).unwrap_err();
        assert!(vbx.ends_with("clustering: expected average or centroid, found \"vbx\""), "{vbx}");
        let vbx = stated(r#"{"clustering": "vbx"}"#, Kind::Joint).unwrap();
        assert!(
            Tuning::joint(&vbx, false).unwrap_err().starts_with("clustering: expected average or centroid")
        );
    }

    #[test]
    fn a_bundle_goes_before_its_files() {
        let bundle = stated(r#"{"trusted_s": 0.5, "piece_s": null}"#, Kind::Pair).unwrap();
        let file = stated(r#"{"trusted_s": 0.25, "piece_s": 2, "hop_s": 1}"#, Kind::Pair).unwrap();
        let (tuning, pair) = Tuning::pair(&bundle.or(file));
        assert_eq!((tuning.trusted_s, pair.piece_s, pair.hop_s), (0.5, None, 1.0));
    }
}
