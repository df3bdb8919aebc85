//! What the file of an embedding network says of the clustering that it was tuned with.

use crate::config::ClusteringMethod;
use crate::error::Result;
use crate::model::description::Description;

/// The clustering that a file says it was tuned with, by the key `voiceflow.clustering`.
pub(super) fn clustering(described: &Description) -> Result<ClusteringMethod> {
    const METHODS: [ClusteringMethod; 2] = [ClusteringMethod::Average, ClusteringMethod::Centroid];
    let Some(text) = described.text("voiceflow.clustering") else { return Ok(ClusteringMethod::Centroid) };
    METHODS.into_iter().find(|method| method.name() == text).ok_or_else(|| {
        described
            .broken(&format!("metadata `voiceflow.clustering`: expected average or centroid, found {text:?}"))
    })
}

/// The threshold of that clustering, by the key `voiceflow.clustering_threshold`.
pub(super) fn threshold(described: &Description) -> Result<Option<f32>> {
    match described.number("voiceflow.clustering_threshold")? {
        Some(threshold) if !(0.0..=2.0).contains(&threshold) => Err(described.broken(&format!(
            "metadata `voiceflow.clustering_threshold`: expected 0 to 2, found {threshold}"
        ))),
        threshold => Ok(threshold),
    }
}
