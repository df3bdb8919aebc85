//! Which local speakers of different windows are the same speaker.
//!
//! ```text
//! tracks ──> trusted ──> Average:        linkage with cannot-link ──────────────────> the rest joins
//!                        AverageBySize:  linkage, small clusters join ────┐
//!                        Centroid:       the same ────────────────────────┤
//!                        Vbx:            either linkage ──> plda ──> vbx ─┴──> centroids ──> assign all
//! ```

mod assign;
mod dendrogram;
mod forest;
mod kmeans;
mod linkage;
pub mod offline;
pub mod online;
pub mod options;
pub mod plda;
mod tracks;
mod tree;
mod vbx;
mod voices;

pub use offline::{Clustering, cluster, label_by_centroids};
pub use online::{OnlineClustering, OnlineOptions};
pub use options::{
    Assignment, CENTROID_MIN_CLUSTER_SIZE, CENTROID_THRESHOLD, ClusteringOptions, Method, Start,
    VBX_THRESHOLD, Vbx, usual_threshold,
};
pub use plda::{Plda, PldaArrays};
pub(crate) use tracks::solo_frames;
pub use tracks::{Track, tracks_of};
pub(crate) use voices::scale_to_unit;

/// What the memory of the clustering is for, in errors.
const CLUSTERING: &str = "clustering";
