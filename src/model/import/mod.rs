//! Cuts a speaker embedding network in two where its frames are pooled: one part makes features of
//! the frames of a stretch of audio, once, and the other pools those of each speaker. What is found
//! is kept beside the file, so that the next load need not look for it.

mod cache;
mod file;
mod graph;
mod probe;
mod split;

pub(super) use cache::{Found, write};
pub(super) use file::{EmbeddingFile, EmbeddingNetwork};
pub(super) use split::{FrameAxis, Split, split};

/// Reads a graph and cuts it at most `most` times; gives the number of places.
#[cfg(fuzzing)]
pub(super) fn cut(bytes: &[u8], input: &str, output: &str, most: usize) -> Result<usize, String> {
    let graph = graph::Graph::parse(bytes)?;
    let cuts = graph.cuts(input, output);
    for tensor in cuts.iter().take(most) {
        graph.layers(tensor);
        for part in [graph.head(&[tensor]), graph.tail(tensor, &[None, Some(8)], output)] {
            graph::Graph::parse(&part.map_err(|error| error.to_string())?)?;
        }
    }
    Ok(cuts.len())
}
