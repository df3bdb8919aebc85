//! Bundles: models under one name. A folder with either one joint model, `model.onnx`, or a
//! segmentation and an embedding model, `segmentation.onnx` and `embedding.onnx`, and
//! metadata.json, which says what the two are tuned to; or models compiled into the library. Finds
//! them; loads no network.

mod metadata;
mod places;

use std::path::{Path, PathBuf};

use metadata::Metadata;
use places::find_folder;

use super::embedded::{self, EmbeddedPair};
use super::import::EmbeddingFile;
use super::source::ModelFile;
use super::tuning::{Kind, Stated};
use crate::config::{Config, ModelSource};
use crate::error::{Error, Result};
use crate::onnx::{Bytes, read_file};

const MODEL: &str = "model.onnx";
const SEGMENTATION: &str = "segmentation.onnx";
const EMBEDDING: &str = "embedding.onnx";
const METADATA: &str = "metadata.json";

/// Largest metadata.json in bytes; those of the project have a few thousand.
const MAX_METADATA_BYTES: u64 = 1 << 20;

/// A bundle that was found.
#[derive(Debug)]
pub(super) enum Bundle {
    /// One joint model, and what is said of it outside its file.
    Joint(ModelSource, JointSaid),
    /// A segmentation and an embedding model.
    Pair(Box<Pair>),
}

/// What is said of a joint model outside its file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct JointSaid {
    pub(super) tuning: Stated,
    /// Empty where nobody says.
    pub(super) voice_space: String,
}

impl JointSaid {
    /// Of the embedded model, whose file has its tuning.
    fn embedded() -> Self {
        Self { tuning: Stated::default(), voice_space: embedded::JOINT_VOICE_SPACE.to_owned() }
    }

    /// Of a model that is no bundle's.
    pub(super) fn of(source: &ModelSource) -> Self {
        match source {
            ModelSource::Embedded => Self::embedded(),
            ModelSource::File(_) | ModelSource::Memory(_) => Self::default(),
        }
    }
}

/// A segmentation and an embedding model, as they were read, and what is known of them.
#[derive(Debug)]
pub(super) struct Pair {
    /// Empty where nobody says.
    pub(super) name: String,
    /// Empty where nobody says.
    pub(super) version: String,
    /// Empty where nobody says outside their files.
    pub(super) voice_space: String,
    /// What is said of their tuning outside their files.
    pub(super) tuning: Stated,
    pub(super) segmentation: ModelFile,
    pub(super) embedding: EmbeddingFile,
}

/// A bundle compiled into the library.
enum BuiltIn {
    Joint,
    Pair(EmbeddedPair),
}

impl BuiltIn {
    fn named(name: &Path) -> Option<Self> {
        match name.to_str()? {
            embedded::JOINT => embedded::model().map(|_| BuiltIn::Joint),
            embedded::PAIR => embedded::pair().map(BuiltIn::Pair),
            _ => None,
        }
    }

    fn open(self) -> Result<Bundle> {
        Ok(match self {
            BuiltIn::Joint => Bundle::Joint(ModelSource::Embedded, JointSaid::embedded()),
            BuiltIn::Pair(files) => Bundle::Pair(Box::new(Pair::embedded(files)?)),
        })
    }
}

impl Bundle {
    /// The bundle that `config` names; `None` where it names none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a bundle beside other models, and those of [`find_bundle`];
    /// [`Error::Model`] for a metadata.json that is none; [`Error::NotFound`], [`Error::Io`],
    /// [`Error::Limit`].
    pub(super) fn of(config: &Config) -> Result<Option<Self>> {
        let Some(name) = config.bundle() else { return Ok(None) };
        let others = [
            ("joint model", config.names_model()),
            ("segmentation model", config.segmentation_model().is_some()),
            ("embedding model", config.embedding_model().is_some()),
        ];
        if let Some((other, _)) = others.into_iter().find(|(_, given)| *given) {
            let reason = format!("expected no model beside it, got one: the {other}");
            return Err(Error::invalid("bundle", reason));
        }
        match BuiltIn::named(name) {
            Some(built_in) => built_in.open().map(Some),
            None => Self::read(&find_folder(name)?).map(Some),
        }
    }

    /// The pair that recordings are diarized with where no model is named: the one compiled into
    /// the library, else the one installed for it, if there is one.
    ///
    /// # Errors
    /// [`Error::Model`] for files that do not belong together; those of [`Bundle::of`].
    pub(super) fn default_pair() -> Result<Option<Self>> {
        match embedded::pair() {
            Some(files) => BuiltIn::Pair(files).open().map(Some),
            None => places::installed_pair().map(|folder| Self::read(&folder)).transpose(),
        }
    }

    /// Whether there is such a pair.
    pub(super) fn has_default_pair() -> bool {
        embedded::pair().is_some() || places::installed_pair().is_some()
    }

    fn read(folder: &Path) -> Result<Self> {
        let metadata = |kind| read_metadata(&folder.join(METADATA), kind);
        let file = |name: &str| ModelSource::File(folder.join(name));
        if folder.join(MODEL).is_file() {
            let Metadata { tuning, voice_space, .. } = metadata(Kind::Joint)?;
            return Ok(Bundle::Joint(file(MODEL), JointSaid { tuning, voice_space }));
        }
        let metadata = metadata(Kind::Pair)?;
        Ok(Bundle::Pair(Box::new(Pair {
            name: metadata.name,
            version: metadata.version,
            voice_space: metadata.voice_space,
            tuning: metadata.tuning,
            segmentation: ModelFile::read(&file(SEGMENTATION))?,
            embedding: EmbeddingFile::read(&file(EMBEDDING))?,
        })))
    }
}

impl Pair {
    /// The pair of `config`, of which nothing else is known.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when one of the two was not given; those of [`ModelFile::read`].
    pub(super) fn of(config: &Config) -> Result<Self> {
        let (Some(first), Some(second)) = (config.segmentation_model(), config.embedding_model()) else {
            let (given, missing) = match config.segmentation_model() {
                Some(_) => ("segmentation model", "embedding_model"),
                None => ("embedding model", "segmentation_model"),
            };
            let reason = format!("expected a model beside the {given}, got none");
            return Err(Error::invalid(missing, reason));
        };
        Ok(Pair {
            name: format!("{} + {}", stem(first), stem(second)),
            version: String::new(),
            voice_space: String::new(),
            tuning: Stated::default(),
            segmentation: ModelFile::read(first)?,
            embedding: EmbeddingFile::read(second)?,
        })
    }

    fn embedded(files: EmbeddedPair) -> Result<Self> {
        let label = |file: &str| format!("{file} of the embedded bundle {}", embedded::PAIR);
        let metadata = Metadata::parse(files.metadata, Kind::Pair, &label(METADATA))?;
        let parts = [files.frames, files.pooling].map(|part| Bytes::Static(part).into());
        Ok(Pair {
            name: metadata.name,
            version: metadata.version,
            voice_space: metadata.voice_space,
            tuning: metadata.tuning,
            segmentation: ModelFile {
                label: label(SEGMENTATION),
                bytes: Bytes::Static(files.segmentation).into(),
            },
            embedding: EmbeddingFile::embedded(label(EMBEDDING), files.import, parts)?,
        })
    }
}

/// The file name of a source without its ending.
fn stem(source: &ModelSource) -> String {
    match source {
        ModelSource::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        ModelSource::Embedded | ModelSource::Memory(_) => "model in memory".to_owned(),
    }
}

/// Reads a metadata.json; where there is no such file, that of a bundle which says nothing.
fn read_metadata(path: &Path, kind: Kind) -> Result<Metadata> {
    match read_file(path, MAX_METADATA_BYTES) {
        Err(Error::NotFound(_)) => Ok(Metadata::default()),
        text => Metadata::parse(&text?, kind, &path.display()),
    }
}

/// The folder that `name` stands for; `None` for the name of a bundle that is compiled into the
/// library. A path stands for itself; any other name is looked for among the bundles of the
/// variable, the working directory, and the library; among the installed ones alone where whoever
/// started the process has fewer rights than it.
///
/// # Errors
/// [`Error::InvalidArgument`] with the places that were looked at.
pub fn find_bundle(name: impl AsRef<Path>) -> Result<Option<PathBuf>> {
    let name = name.as_ref();
    match BuiltIn::named(name) {
        Some(_) => Ok(None),
        None => find_folder(name).map(Some),
    }
}

/// Reads a metadata.json of a pair.
///
/// # Errors
/// Those of [`read_metadata`].
#[cfg(fuzzing)]
pub(super) fn check_metadata(path: &Path) -> Result<()> {
    read_metadata(path, Kind::Pair).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::tuning::Tuning;
    use super::*;
    use crate::config::ClusteringMethod;

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
        let Some(Bundle::Pair(pair)) = found(folder.path()).unwrap() else { panic!("no pair") };
        assert_eq!((pair.name.as_str(), pair.version.as_str()), ("pair", ""));
        let (tuning, of_pair) = Tuning::pair(&pair.tuning);
        assert_eq!(tuning.clustering, ClusteringMethod::Average);
        assert_eq!((of_pair.clustering_threshold, of_pair.hop_s), (0.4, 1.0));
        assert!(pair.segmentation.label.ends_with(SEGMENTATION) && pair.embedding.label.ends_with(EMBEDDING));
    }

    #[test]
    fn a_joint_model_is_a_bundle_and_metadata_are_not_needed() {
        let folder = bundle(&[MODEL], "");
        let Some(Bundle::Joint(source, said)) = found(folder.path()).unwrap() else {
            panic!("no joint model")
        };
        assert!(matches!(source, ModelSource::File(path) if path.ends_with(MODEL)));
        assert_eq!(said, JointSaid::default());
    }

    #[test]
    fn a_bundle_tunes_a_joint_model_by_the_keys_of_one() {
        let text = r#"{"thresholds": {"onset": 0.5}, "tuning": {"live_window_s": 2}, "voice_space": "v"}"#;
        let folder = bundle(&[MODEL], text);
        let Some(Bundle::Joint(_, said)) = found(folder.path()).unwrap() else { panic!("no joint model") };
        assert_eq!(Tuning::joint(&said.tuning, true).unwrap().live_window_s, 2.0);
        assert_eq!(said.voice_space, "v");
        let folder = bundle(&[MODEL], r#"{"voice_space": ""}"#);
        let error = found(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("voice_space: expected a name of at most 128 bytes, found \"\""), "{error}");
        let folder = bundle(&[MODEL], r#"{"tuning": {"hop_s": 2}}"#);
        let error = found(folder.path()).unwrap_err().to_string();
        assert!(error.contains("metadata.json: tuning: \"hop_s\": unknown to this version"), "{error}");
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
        assert!(
            wrong(r#"{"hops": 1.0}"#).contains("tuning: \"hops\": unknown to this version of the library")
        );
        assert!(message(Path::new("nobody-has-this")).contains("nobody-has-this, .models/nobody-has-this, "));
    }

    #[test]
    fn other_models_beside_a_bundle_are_refused() {
        let mut config = Config::default();
        config.set_bundle("accurate");
        config.set_model(ModelSource::Memory(std::sync::Arc::new(b"onnx".to_vec())));
        let error = Bundle::of(&config).unwrap_err();
        assert_eq!(error.to_string(), "bundle: expected no model beside it, got one: the joint model");
    }
}
