//! Reads what a model says of its tuning: known keys, and values of their ranges.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::config::ClusteringMethod;
use crate::model::quoted::quoted;

/// The metadata property of an ONNX file.
pub(super) const PROPERTY: &str = "voiceflow.tuning";

/// Properties that say of the tuning what [`PROPERTY`] has keys for: a file with them would get the
/// defaults instead.
const MISPLACED: [&str; 2] = ["voiceflow.clustering", "voiceflow.clustering_threshold"];

/// The kinds of models, which have some keys each that the other has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Kind {
    /// One network.
    Joint,
    /// A segmentation and an embedding network.
    Pair,
}

/// A key with a number.
pub(super) struct Key {
    name: &'static str,
    range: RangeInclusive<f64>,
    /// Whether `null` says that the model goes without.
    may_be_null: bool,
    /// The kind of models that has it; `None` for both.
    pub(super) kind: Option<Kind>,
}

const fn both(name: &'static str, range: RangeInclusive<f64>) -> Key {
    Key { name, range, may_be_null: false, kind: None }
}

const fn only(kind: Kind, name: &'static str, range: RangeInclusive<f64>) -> Key {
    Key { name, range, may_be_null: false, kind: Some(kind) }
}

const fn or_null(key: Key) -> Key {
    Key { may_be_null: true, ..key }
}

/// Name of the clustering method.
const CLUSTERING: &str = "clustering";

/// Shortest window of the network and shortest hop, in seconds.
const SHORTEST_S: f64 = 0.1;
/// Longest, in seconds: that of a window.
const LONGEST_S: f64 = 60.0;

/// The keys with numbers, seconds where the name ends in `_s`.
pub(super) const KEYS: [Key; 20] = [
    both("trusted_s", 0.0..=LONGEST_S),
    or_null(both("min_cluster_share", 0.0..=1.0)),
    both("least_speaker_s", 0.0..=LONGEST_S),
    only(Kind::Joint, "vbx_voices", 0.0..=1e6),
    both("min_speech_s", 0.0..=LONGEST_S),
    both("min_silence_s", 0.0..=LONGEST_S),
    both("live_window_s", SHORTEST_S..=LONGEST_S),
    both("live_hop_s", SHORTEST_S..=LONGEST_S),
    both("live_link_factor", 0.0..=10.0),
    both("live_new_factor", 0.0..=10.0),
    both("live_founding_s", 0.0..=LONGEST_S),
    or_null(both("short_hop_s", SHORTEST_S..=LONGEST_S)),
    both("close_window_s", SHORTEST_S..=LONGEST_S),
    both("close_hop_s", SHORTEST_S..=LONGEST_S),
    only(Kind::Pair, "hop_s", SHORTEST_S..=LONGEST_S),
    or_null(only(Kind::Pair, "piece_s", 0.5..=LONGEST_S)),
    or_null(only(Kind::Pair, "silence_weight", 0.01..=100.0)),
    only(Kind::Pair, "solo_s", 0.0..=LONGEST_S),
    only(Kind::Pair, "clustering_threshold", 0.0..=2.0),
    only(Kind::Pair, "identity_threshold", -1.0..=1.0),
];

/// What a model says of its tuning: known keys alone, with values of their ranges.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::model) struct Stated(Map<String, Value>);

impl Stated {
    /// That of an ONNX file with these metadata properties; nothing where it has none of this kind.
    ///
    /// # Errors
    /// The key that cannot be, what was expected and what was found.
    pub(in crate::model) fn of_file(
        properties: &BTreeMap<String, String>,
        kind: Kind,
    ) -> Result<Self, String> {
        if let Some(key) = MISPLACED.iter().find(|key| properties.contains_key(**key)) {
            return Err(format!("metadata `{key}`: expected a key of `{PROPERTY}` in its place"));
        }
        let Some(text) = properties.get(PROPERTY) else { return Ok(Self::default()) };
        let parsed = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Self::new(object, kind),
            _ => Err(format!("expected a JSON object, found {}", quoted(text))),
        };
        parsed.map_err(|reason| format!("metadata `{PROPERTY}`: {reason}"))
    }

    /// That of an object.
    ///
    /// # Errors
    /// The key that cannot be, what was expected and what was found.
    pub(in crate::model) fn new(object: Map<String, Value>, kind: Kind) -> Result<Self, String> {
        for (name, value) in &object {
            if name == CLUSTERING {
                check_clustering(value, kind)?;
                continue;
            }
            let known = KEYS.iter().filter(|key| key.kind.is_none_or(|only| only == kind));
            let Some(key) = known.clone().find(|key| key.name == name) else {
                let names: Vec<&str> = [CLUSTERING].into_iter().chain(known.map(|key| key.name)).collect();
                return Err(format!(
                    "{}: unknown to this version of the library, expected {}",
                    quoted(name),
                    names.join(", ")
                ));
            };
            key.check(value)?;
        }
        Ok(Stated(object))
    }

    /// What this says, and what `other` says of the rest.
    pub(in crate::model) fn or(self, other: Self) -> Self {
        let Stated(mut all) = other;
        all.extend(self.0);
        Stated(all)
    }

    pub(super) fn number(&self, name: &str, usual: f64) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(usual)
    }

    pub(super) fn optional(&self, name: &str, usual: Option<f64>) -> Option<f64> {
        self.0.get(name).map_or(usual, Value::as_f64)
    }

    pub(super) fn clustering(&self) -> Option<ClusteringMethod> {
        let name = self.0.get(CLUSTERING)?.as_str()?;
        methods(Kind::Joint).iter().copied().find(|method| method.name() == name)
    }
}

impl fmt::Display for Stated {
    /// The object on one line; nothing for one that says nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl Key {
    fn check(&self, value: &Value) -> Result<(), String> {
        let kept = match value {
            Value::Null => self.may_be_null,
            value => value.as_f64().is_some_and(|number| self.range.contains(&number)),
        };
        if kept {
            return Ok(());
        }
        let (low, high) = (self.range.start(), self.range.end());
        let null = if self.may_be_null { ", or null" } else { "" };
        Err(format!("{}: expected {low} to {high}{null}, found {}", self.name, shown(value)))
    }
}

/// The methods that a model can be tuned to.
fn methods(kind: Kind) -> &'static [ClusteringMethod] {
    const METHODS: [ClusteringMethod; 3] =
        [ClusteringMethod::Average, ClusteringMethod::Centroid, ClusteringMethod::Vbx];
    match kind {
        Kind::Joint => &METHODS,
        // Nothing says how its voices vary.
        Kind::Pair => &METHODS[..2],
    }
}

fn check_clustering(value: &Value, kind: Kind) -> Result<(), String> {
    let names: Vec<&str> = methods(kind).iter().map(|method| method.name()).collect();
    if value.as_str().is_some_and(|name| names.contains(&name)) {
        return Ok(());
    }
    Err(format!("{CLUSTERING}: expected {}, found {}", names.join(" or "), shown(value)))
}

/// A value from the file, made short and printable.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}
