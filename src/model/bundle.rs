//! Bundles: a folder with either one joint model, `model.onnx`, or a segmentation and an embedding model,
//! `segmentation.onnx` and `embedding.onnx`, and metadata.json, which says what the two are tuned to. Finds bundles
//! by name; loads no network.

use std::path::{Path, PathBuf};

use super::search::own_folder;
use super::source::read_file;
use super::variables;
use crate::config::{ClusteringMethod, Config, ModelSource};
use crate::error::{Error, Result};

/// Variable that names a folder of bundles.
const VARIABLE: &str = "VOICEFLOW_MODELS";
/// Folder of bundles in the working directory, and beside or above the library.
const FOLDER: &str = ".models";
/// Folder of bundles in an installation, from the folder of the library.
const INSTALLED: &str = "../share/voiceflow/models";

const MODEL: &str = "model.onnx";
const SEGMENTATION: &str = "segmentation.onnx";
const EMBEDDING: &str = "embedding.onnx";
const METADATA: &str = "metadata.json";

/// Largest metadata.json in bytes; those of the project have a few thousand.
const MAX_METADATA_BYTES: u64 = 1 << 20;

/// What a pair of models was tuned to. What is not said has the default of [`super::TwoStage`].
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BundleTuning {
    /// Time in seconds from one window to the next.
    pub(super) hop_s: Option<f64>,
    /// Name of the clustering method.
    clustering: Option<String>,
    /// Its threshold.
    pub(super) clustering_threshold: Option<f32>,
    /// Solo speech in seconds from which a voice is trusted enough to be clustered.
    pub(super) trusted_s: Option<f64>,
    /// Share of the clustered voices that a speaker of average linkage has at least; without it, two speakers of one
    /// window are never joined.
    pub(super) min_cluster_share: Option<f64>,
    /// Segments shorter than this many seconds are dropped.
    pub(super) min_speech_s: Option<f64>,
    /// Pauses of one speaker shorter than this many seconds are filled.
    pub(super) min_silence_s: Option<f64>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Metadata {
    tuning: Option<BundleTuning>,
}

impl BundleTuning {
    /// The clustering method.
    pub(super) fn clustering(&self) -> Option<ClusteringMethod> {
        const METHODS: [ClusteringMethod; 2] = [ClusteringMethod::Average, ClusteringMethod::Centroid];
        METHODS.into_iter().find(|method| Some(method.name()) == self.clustering.as_deref())
    }

    /// Which value is out of its range.
    fn check(&self) -> std::result::Result<(), String> {
        if let (Some(name), None) = (&self.clustering, self.clustering()) {
            return Err(format!("clustering: expected average or centroid, found {name:?}"));
        }
        let ranges = [
            ("hop_s", self.hop_s, 0.1..=60.0),
            ("clustering_threshold", self.clustering_threshold.map(f64::from), 0.0..=2.0),
            ("trusted_s", self.trusted_s, 0.0..=60.0),
            ("min_cluster_share", self.min_cluster_share, 0.0..=1.0),
            ("min_speech_s", self.min_speech_s, 0.0..=60.0),
            ("min_silence_s", self.min_silence_s, 0.0..=60.0),
        ];
        for (name, value, range) in ranges {
            if let Some(value) = value.filter(|value| !range.contains(value)) {
                let (low, high) = (range.start(), range.end());
                return Err(format!("{name}: expected {low} to {high}, found {value}"));
            }
        }
        Ok(())
    }
}

/// A bundle that was found.
#[derive(Debug)]
pub(super) struct Bundle {
    folder: PathBuf,
    joint: bool,
    pub(super) tuning: BundleTuning,
}

impl Bundle {
    /// The bundle that `config` names; `None` where it names none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a bundle beside other models, and those of [`find_bundle`]; [`Error::Model`] for a metadata.json that is none; [`Error::Io`], [`Error::Limit`].
    pub(super) fn of(config: &Config) -> Result<Option<Self>> {
        let Some(name) = config.bundle() else { return Ok(None) };
        let others = [
            ("model", !matches!(config.model(), ModelSource::Embedded)),
            ("segmentation_model", config.segmentation_model().is_some()),
            ("embedding_model", config.embedding_model().is_some()),
        ];
        if let Some((other, _)) = others.into_iter().find(|(_, given)| *given) {
            let text = format!("bundle: expected no other model beside it, got {other}");
            return Err(Error::InvalidArgument(text));
        }
        let folder = find_bundle(name)?;
        let joint = folder.join(MODEL).is_file();
        Ok(Some(Self { tuning: read_tuning(&folder.join(METADATA))?, joint, folder }))
    }

    /// Whether it is a segmentation and an embedding model.
    pub(super) fn is_pair(&self) -> bool {
        !self.joint
    }

    /// `config` with the models of the bundle in place of its name.
    pub(super) fn unpack(&self, config: &Config) -> Result<Config> {
        let mut config = config.clone();
        config.clear_bundle();
        let file = |name: &str| ModelSource::File(self.folder.join(name));
        if self.joint {
            config.set_model(file(MODEL));
        } else {
            config.set_segmentation_model(file(SEGMENTATION))?;
            config.set_embedding_model(file(EMBEDDING))?;
        }
        Ok(config)
    }
}

/// Reads the tuning of a metadata.json; where there is no such file, that of a bundle which says nothing.
pub(super) fn read_tuning(path: &Path) -> Result<BundleTuning> {
    let text = match read_file(path, MAX_METADATA_BYTES) {
        Err(Error::NotFound(_)) => return Ok(BundleTuning::default()),
        text => text?,
    };
    let broken = |reason: String| Error::Model(format!("{}: {reason}", path.display()));
    let metadata: Metadata = serde_json::from_slice(&text)
        .map_err(|error| broken(format!("expected the metadata of a bundle, found another ({error})")))?;
    let tuning = metadata.tuning.unwrap_or_default();
    tuning.check().map_err(|reason| broken(format!("tuning: {reason}")))?;
    Ok(tuning)
}

/// The folder that `name` stands for: itself, or, for a name without a path, that name among the bundles of the
/// variable, the working directory, and the library; among the installed ones alone where whoever started the process
/// has fewer rights than it.
///
/// # Errors
/// [`Error::InvalidArgument`] with the places that were looked at.
pub fn find_bundle(name: &Path) -> Result<PathBuf> {
    let elevated = variables::elevated();
    let mut places = Vec::new();
    let mut own = None;
    if name.components().count() == 1 {
        places.extend(variables::var(VARIABLE).map(|folder| PathBuf::from(folder).join(name)));
        if !elevated {
            places.extend([name.to_owned(), Path::new(FOLDER).join(name)]);
        }
        own = own_folder();
    } else {
        places.push(name.to_owned());
    }
    let own = own.as_deref();
    places.extend(own.map(|own| own.join(INSTALLED).join(name)));
    let root = own.filter(|_| !elevated);
    let above = root.into_iter().flat_map(Path::ancestors).map(|folder| folder.join(FOLDER).join(name));
    let is_bundle = |folder: &PathBuf| {
        folder.join(MODEL).is_file()
            || folder.join(SEGMENTATION).is_file() && folder.join(EMBEDDING).is_file()
    };
    places.iter().cloned().chain(above).find(is_bundle).ok_or_else(|| {
        let mut searched: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        searched.extend(root.map(|own| format!("{FOLDER} of a folder above {}", own.display())));
        let hint = if name == Path::new("accurate") { "; `make models-accurate` makes it" } else { "" };
        Error::InvalidArgument(format!(
            "bundle {}: expected a folder with {MODEL}, or with {SEGMENTATION} and {EMBEDDING}, found none in {}{hint}",
            name.display(),
            searched.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(files: &[&str], metadata: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), b"onnx").unwrap();
        }
        if !metadata.is_empty() {
            std::fs::write(folder.path().join(METADATA), metadata).unwrap();
        }
        folder
    }

    fn found(folder: &Path) -> Result<Option<Bundle>> {
        let mut config = Config::default();
        config.set_bundle(folder.to_owned());
        Bundle::of(&config)
    }

    #[test]
    fn a_pair_brings_its_tuning() {
        let text = r#"{"name": "pair", "tuning": {"clustering": "average", "clustering_threshold": 0.4, "hop_s": 1.0}}"#;
        let folder = bundle(&[SEGMENTATION, EMBEDDING], text);
        let found = found(folder.path()).unwrap().unwrap();
        assert_eq!(found.tuning.clustering(), Some(ClusteringMethod::Average));
        assert_eq!((found.tuning.clustering_threshold, found.tuning.hop_s), (Some(0.4), Some(1.0)));
        let config = found.unpack(&Config::default()).unwrap();
        assert!(config.segmentation_model().is_some() && config.embedding_model().is_some());
        assert!(config.bundle().is_none());
    }

    #[test]
    fn a_joint_model_is_a_bundle_and_metadata_are_not_needed() {
        let folder = bundle(&[MODEL], "");
        let found = found(folder.path()).unwrap().unwrap();
        assert_eq!(found.tuning, BundleTuning::default());
        let config = found.unpack(&Config::default()).unwrap();
        assert!(matches!(config.model(), ModelSource::File(path) if path.ends_with(MODEL)));
    }

    #[test]
    fn what_is_wrong_with_a_bundle_is_said() {
        let message = |folder: &Path| found(folder).unwrap_err().to_string();
        let half = bundle(&[SEGMENTATION], "");
        assert!(
            message(half.path()).contains("expected a folder with model.onnx, or with segmentation.onnx and")
        );
        let wrong = |tuning: &str| {
            let folder = bundle(&[SEGMENTATION, EMBEDDING], &format!(r#"{{"tuning": {tuning}}}"#));
            message(folder.path())
        };
        assert!(
            wrong(r#"{"clustering": "k-means"}"#).contains("expected average or centroid, found \"k-means\"")
        );
        assert!(wrong(r#"{"hop_s": 0.0}"#).contains("tuning: hop_s: expected 0.1 to 60, found 0"));
        assert!(wrong(r#"{"hops": 1.0}"#).contains("unknown field `hops`"));
        assert!(message(Path::new("nobody-has-this")).contains("nobody-has-this, .models/nobody-has-this, "));
    }

    #[test]
    fn other_models_beside_a_bundle_are_refused() {
        let mut config = Config::default();
        config.set_bundle("accurate".into());
        config.set_model(ModelSource::Memory(std::sync::Arc::new(b"onnx".to_vec())));
        let error = Bundle::of(&config).unwrap_err();
        assert_eq!(error.to_string(), "bundle: expected no other model beside it, got model");
    }
}
