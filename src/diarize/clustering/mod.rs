//! Which local speakers of different windows are the same person.

mod linkage;
pub mod offline;
mod tracks;

pub use offline::{Clustering, ClusteringOptions, cluster};
pub use tracks::{Track, tracks_of};
