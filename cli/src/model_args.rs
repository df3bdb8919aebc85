//! The arguments that say which models diarize, and how their voices are clustered.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use voiceflow::model::find_bundle;
use voiceflow::{ClusteringMethod, Config, EmbeddingFamily, Error, Frontend, ModelSource};

use crate::exit::Failure;
use crate::runtime_args::usage;

/// Arguments of `diarize`, `enroll`, `identify`, `bench` and `info`.
#[derive(Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Joint model, an ONNX file that keeps this project's contract [default: accurate for
    /// recordings, where `voiceflow info` lists it, and fast-cnn for live audio]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["models", "segmentation_model", "embedding_model"])]
    model: Option<PathBuf>,
    /// Bundle: accurate or fast-cnn, which are in the library; a folder with model.onnx, or with
    /// segmentation.onnx and embedding.onnx, and metadata.json; or its name in $VOICEFLOW_MODELS,
    /// in .models or beside the library
    #[arg(long, value_name = "NAME|DIR", conflicts_with_all = ["segmentation_model", "embedding_model"])]
    models: Option<PathBuf>,
    /// Segmentation model, an ONNX file like that of pyannote's segmentation-3.0
    #[arg(long, value_name = "FILE", requires = "embedding_model")]
    segmentation_model: Option<PathBuf>,
    /// Speaker embedding model, an ONNX file of WeSpeaker, 3D-Speaker or NeMo
    #[arg(long, value_name = "FILE", requires = "segmentation_model")]
    embedding_model: Option<PathBuf>,
    #[command(flatten)]
    public: PublicModelArgs,
    /// How voices become speakers [default: what the model was tuned with]
    #[arg(long, value_enum, value_name = "METHOD")]
    clustering: Option<ClusteringArg>,
    /// Distance under which two voices are one speaker, 0 to 2: cosine for average and joint
    /// models, else Euclidean [default: the model's]
    #[arg(long, value_name = "DISTANCE")]
    clustering_threshold: Option<f32>,
    /// Fewest windows of a speaker, for centroid clustering [default: as many as begin in 12 s]
    #[arg(long, value_name = "N")]
    min_cluster_size: Option<usize>,
    /// Folder with xvec_transform.npz and plda.npz, for vbx clustering of public models; joint
    /// models may bring theirs
    #[arg(long, value_name = "DIR")]
    plda: Option<PathBuf>,
}

/// What the public files of a pair may leave open.
#[derive(Args)]
pub struct PublicModelArgs {
    #[command(flatten)]
    embedding: EmbeddingArgs,
    /// Samples that a frame of the segmentation model sees, and samples from one frame to the next,
    /// where its metadata does not say [default: those of pyannote's models]
    #[arg(long, num_args = 2, value_names = ["SIZE", "STEP"])]
    receptive_field: Option<Vec<usize>>,
}

/// What the file of an embedding model may leave open.
#[derive(Args)]
pub struct EmbeddingArgs {
    /// Toolkit that the embedding model comes from; auto asks its metadata, then the names of its
    /// tensors
    #[arg(long, value_enum, value_name = "FAMILY", default_value_t = FamilyArg::Auto)]
    embedding_family: FamilyArg,
    /// Features for the embedding model: those it was trained with, or those that sherpa-onnx gives
    /// it
    #[arg(long, value_enum, value_name = "PRESET", default_value_t = FrontendArg::Trained)]
    frontend: FrontendArg,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ClusteringArg {
    /// Average linkage; two speakers of one window stay apart, but in accurate
    Average,
    /// Centroid linkage with a minimum cluster size, as pyannote.audio 3.1
    Centroid,
    /// Variational Bayes with a PLDA, as pyannote's community-1; a pair of models needs --plda
    Vbx,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum FamilyArg {
    Auto,
    Wespeaker,
    #[value(name = "3d-speaker")]
    ThreeDSpeaker,
    Nemo,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum FrontendArg {
    Trained,
    Sherpa,
}

impl ModelArgs {
    /// The files that are read for the models that were given, what `import-model` wrote among
    /// them.
    pub fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files: Vec<PathBuf> = self.model.iter().cloned().collect();
        if let Some((segmentation, embedding)) = self.pair() {
            files.extend([embedding.with_extension("import.json"), segmentation, embedding]);
        }
        if let Some(name) = &self.models {
            files.extend(bundle_files(name)?);
        }
        Ok(files)
    }

    /// Whether they say which models are used.
    pub fn given(&self) -> bool {
        self.model.is_some() || self.models.is_some() || self.pair().is_some()
    }

    /// The segmentation and the embedding model, where their files were given.
    fn pair(&self) -> Option<(PathBuf, PathBuf)> {
        self.segmentation_model.clone().zip(self.embedding_model.clone())
    }

    /// Refuses arguments that would have no effect.
    fn check(&self, paired: bool) -> Result<(), Failure> {
        if !paired && self.public.given() {
            return Err(Failure::Usage(
                "--embedding-family, --frontend and --receptive-field: expected --models, or --segmentation-model \
                 and --embedding-model, with them"
                    .to_owned(),
            ));
        }
        if self.plda.is_some() && self.clustering != Some(ClusteringArg::Vbx) {
            return Err(Failure::Usage("--plda: expected --clustering vbx with it".to_owned()));
        }
        Ok(())
    }

    /// As [`ModelArgs::apply`], for live audio alone: where no model is given, that of recordings
    /// is not loaded.
    pub fn apply_live(&self, config: &mut Config) -> Result<(), Failure> {
        if !self.given() {
            config.set_model(ModelSource::Embedded);
        }
        self.apply(config)
    }

    /// Sets what was given.
    pub fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if let Some(path) = &self.model {
            config.set_model(ModelSource::File(path.clone()));
        }
        if let Some(name) = &self.models {
            config.set_bundle(name.clone());
        }
        let pair = self.pair();
        self.check(pair.is_some() || self.models.is_some())?;
        if let Some((segmentation, embedding)) = pair {
            config.set_segmentation_model(ModelSource::File(segmentation)).map_err(usage)?;
            config.set_embedding_model(ModelSource::File(embedding)).map_err(usage)?;
        }
        self.public.apply(config)?;
        if let Some(method) = self.clustering {
            config.set_clustering_method(match method {
                ClusteringArg::Average => ClusteringMethod::Average,
                ClusteringArg::Centroid => ClusteringMethod::Centroid,
                ClusteringArg::Vbx => ClusteringMethod::Vbx,
            });
        }
        if let Some(threshold) = self.clustering_threshold {
            config.set_clustering_threshold(threshold).map_err(usage)?;
        }
        if let Some(windows) = self.min_cluster_size {
            config.set_min_cluster_size(windows).map_err(usage)?;
        }
        if let Some(folder) = &self.plda {
            config.set_plda(folder.clone());
        }
        Ok(())
    }
}

/// The files of a bundle; none of one that is in the library.
fn bundle_files(name: &Path) -> Result<Vec<PathBuf>, Error> {
    let Some(folder) = find_bundle(name)? else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(&folder);
    let entries = entries.map_err(|error| Error::from_io(&folder, error))?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

impl PublicModelArgs {
    /// Whether any of them says something.
    fn given(&self) -> bool {
        let EmbeddingArgs { embedding_family, frontend } = &self.embedding;
        *embedding_family != FamilyArg::Auto
            || *frontend != FrontendArg::Trained
            || self.receptive_field.is_some()
    }

    /// Sets what was given.
    pub fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        self.embedding.apply(config);
        if let Some([size, step]) = self.receptive_field.as_deref() {
            config.set_segmentation_receptive_field(*size, *step).map_err(usage)?;
        }
        Ok(())
    }
}

impl EmbeddingArgs {
    /// Sets what was given.
    pub fn apply(&self, config: &mut Config) {
        match self.embedding_family {
            FamilyArg::Auto => {}
            FamilyArg::Wespeaker => config.set_embedding_family(EmbeddingFamily::WeSpeaker),
            FamilyArg::ThreeDSpeaker => config.set_embedding_family(EmbeddingFamily::ThreeDSpeaker),
            FamilyArg::Nemo => config.set_embedding_family(EmbeddingFamily::Nemo),
        }
        match self.frontend {
            FrontendArg::Trained => {}
            FrontendArg::Sherpa => config.set_frontend(Frontend::Sherpa),
        }
    }
}
