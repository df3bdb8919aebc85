//! The arguments that say which models diarize, and how their voices are clustered.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use voiceflow::{ClusteringMethod, Config, EmbeddingFamily, Frontend, ModelSource};

use crate::exit::Failure;
use crate::runtime_args::usage;

/// The folder with models by name: where `make models-public` puts them.
const MODELS_FOLDER: &str = ".models";
/// Variable that names another such folder.
const MODELS_VARIABLE: &str = "VOICEFLOW_MODELS";

/// Arguments of `diarize`.
#[derive(Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Joint model to use, an ONNX file [default: the embedded model]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["models", "segmentation_model", "embedding_model"])]
    model: Option<PathBuf>,
    /// Pair of models: a folder with segmentation.onnx and embedding.onnx, or a name such as public for that folder in
    /// .models or in $VOICEFLOW_MODELS
    #[arg(long, value_name = "NAME", conflicts_with_all = ["segmentation_model", "embedding_model"])]
    models: Option<PathBuf>,
    /// Segmentation model, an ONNX file in the manner of pyannote's
    #[arg(long, value_name = "FILE", requires = "embedding_model")]
    segmentation_model: Option<PathBuf>,
    /// Speaker embedding model, an ONNX file
    #[arg(long, value_name = "FILE", requires = "segmentation_model")]
    embedding_model: Option<PathBuf>,
    #[command(flatten)]
    public: PublicModelArgs,
    /// How voices are clustered [default: what the model was tuned with]
    #[arg(long, value_enum, value_name = "METHOD")]
    clustering: Option<ClusteringArg>,
    /// Distance under which two voices are one speaker, 0 to 2: cosine for average, Euclidean for centroid and vbx
    /// [default: the model's]
    #[arg(long, value_name = "DISTANCE")]
    clustering_threshold: Option<f32>,
    /// Fewest windows of a speaker for centroid clustering [default: as many as begin in 12 s]
    #[arg(long, value_name = "N")]
    min_cluster_size: Option<usize>,
    /// Folder with xvec_transform.npz and plda.npz for vbx clustering
    #[arg(long, value_name = "DIR")]
    plda: Option<PathBuf>,
}

/// What a public file may leave open.
#[derive(Args)]
pub struct PublicModelArgs {
    /// Family of an embedding model that does not say
    #[arg(long, value_enum, value_name = "FAMILY", default_value_t = FamilyArg::Auto)]
    embedding_family: FamilyArg,
    /// Features for the embedding model: those it was trained with, or those of sherpa-onnx
    #[arg(long, value_enum, value_name = "PRESET", default_value_t = FrontendArg::Trained)]
    frontend: FrontendArg,
    /// Receptive field and step of a segmentation model that does not say, in samples
    #[arg(long, num_args = 2, value_names = ["SIZE", "STEP"])]
    receptive_field: Option<Vec<usize>>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClusteringArg {
    Average,
    Centroid,
    Vbx,
}

#[derive(Clone, Copy, ValueEnum)]
enum FamilyArg {
    Auto,
    Wespeaker,
    #[value(name = "3d-speaker")]
    ThreeDSpeaker,
    Nemo,
}

#[derive(Clone, Copy, ValueEnum)]
enum FrontendArg {
    Trained,
    Sherpa,
}

impl ModelArgs {
    /// The model files that were given.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.model, &self.segmentation_model, &self.embedding_model].into_iter().flatten()
    }

    /// Sets what was given.
    pub fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if let Some(path) = &self.model {
            config.set_model(ModelSource::File(path.clone()));
        }
        let pair = match (&self.models, &self.segmentation_model, &self.embedding_model) {
            (Some(name), ..) => {
                let folder = models_folder(name)?;
                Some((folder.join("segmentation.onnx"), folder.join("embedding.onnx")))
            }
            (None, Some(segmentation), Some(embedding)) => Some((segmentation.clone(), embedding.clone())),
            _ => None,
        };
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

impl PublicModelArgs {
    /// Sets what was given.
    pub fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        config.set_embedding_family(match self.embedding_family {
            FamilyArg::Auto => EmbeddingFamily::Auto,
            FamilyArg::Wespeaker => EmbeddingFamily::WeSpeaker,
            FamilyArg::ThreeDSpeaker => EmbeddingFamily::ThreeDSpeaker,
            FamilyArg::Nemo => EmbeddingFamily::Nemo,
        });
        config.set_frontend(match self.frontend {
            FrontendArg::Trained => Frontend::Trained,
            FrontendArg::Sherpa => Frontend::Sherpa,
        });
        if let Some([size, step]) = self.receptive_field.as_deref() {
            config.set_segmentation_receptive_field(*size, *step).map_err(usage)?;
        }
        Ok(())
    }
}

/// The folder that `name` stands for: itself, or that name in the folder of models, which is looked for in the
/// variable, then in the working directory, then above this program.
fn models_folder(name: &Path) -> Result<PathBuf, Failure> {
    let mut places = vec![name.to_owned()];
    if name.components().count() == 1 {
        if let Some(folder) = std::env::var_os(MODELS_VARIABLE) {
            places = vec![PathBuf::from(folder).join(name), name.to_owned()];
        }
        places.push(Path::new(MODELS_FOLDER).join(name));
        let program = std::env::current_exe().unwrap_or_default();
        places.extend(program.ancestors().skip(1).map(|folder| folder.join(MODELS_FOLDER).join(name)));
    }
    let found = places.iter().find(|folder| folder.join("segmentation.onnx").is_file());
    found.cloned().ok_or_else(|| {
        let hint = if name == Path::new("public") { "; `make models-public` builds them" } else { "" };
        let searched: Vec<String> = places.iter().take(3).map(|place| place.display().to_string()).collect();
        Failure::Failed(format!(
            "--models {}: expected a folder with segmentation.onnx and embedding.onnx, found none in {}{hint}",
            name.display(),
            searched.join(", ")
        ))
    })
}
