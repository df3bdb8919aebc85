//! Which clustering a recording's voices get: the method that the options ask for, or that of the
//! model's tuning.

use std::sync::Arc;

use crate::audio::SAMPLE_RATE;
use crate::config::{ClusteringMethod, Config};
use crate::diarize::clustering::{CENTROID_MIN_CLUSTER_SIZE, Method, Vbx};
use crate::diarize::windows::WindowGrid;
use crate::error::{Error, Result};
use crate::model::{LocalDiarizer, read_plda};

/// Time in seconds in which the windows begin that a speaker of centroid linkage has at least: the
/// 12 windows, 1 s apart, of pyannote/speaker-diarization-3.1.
const CENTROID_LEAST_S: f64 = CENTROID_MIN_CLUSTER_SIZE as f64;

/// How voices are clustered.
pub(super) fn method(config: &Config, local: &dyn LocalDiarizer, grid: WindowGrid) -> Result<Method> {
    let asked = match config.clustering_method() {
        ClusteringMethod::Auto => local.tuning().clustering,
        asked => asked,
    };
    Ok(match asked {
        ClusteringMethod::Auto | ClusteringMethod::Average => match local.tuning().min_cluster_share {
            Some(least_share) => Method::AverageBySize { least_share },
            None => Method::Average,
        },
        ClusteringMethod::Centroid => {
            let usual = (CENTROID_LEAST_S * f64::from(SAMPLE_RATE) / grid.hop as f64).ceil() as usize;
            Method::Centroid { min_cluster_size: config.min_cluster_size().unwrap_or(usual) }
        }
        ClusteringMethod::Vbx => {
            let Some(folder) = config.plda() else {
                let own = local.vbx().cloned().map(Method::Vbx);
                return own.ok_or_else(|| {
                    let reason = "expected the folder of a PLDA for the clustering method vbx, got none";
                    Error::invalid("plda", reason)
                });
            };
            let plda = read_plda(folder)?;
            let (expected, found) = (plda.dimensions(), local.info().embedding_dim);
            if expected != found {
                return Err(Error::Model(format!(
                    "{}: PLDA: expected embeddings of {expected} dimensions, as it was made for, found {found}",
                    folder.display()
                )));
            }
            Method::Vbx(Vbx::new(Arc::new(plda)))
        }
    })
}
