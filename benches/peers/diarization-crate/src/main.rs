//! The crate `diarization` as a contender: its offline pipeline on recordings named on the command
//! line.

#[path = "../../contenders/protocol.rs"]
mod protocol;

use std::env;

use diarization::{
    embed::{EmbedModel, EmbedModelOptions},
    offline::{OwnedDiarizationPipeline, OwnedPipelineOptions},
    plda::PldaTransform,
    segment::{SegmentModel, SegmentModelOptions},
};
use ort::session::builder::GraphOptimizationLevel;
use protocol::{Failure, Segment, serve};

const USAGE: &str =
    "usage: peer-diarization SEGMENTATION EMBEDDING THREADS all|disable THRESHOLD|default WAV...";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [segmentation, embedding, threads, optimization, threshold, recordings @ ..] = arguments.as_slice()
    else {
        return Err(USAGE.into());
    };
    let threads: usize = threads.parse()?;
    let level = || match optimization.as_str() {
        "all" => Ok(GraphOptimizationLevel::All),
        "disable" => Ok(GraphOptimizationLevel::Disable),
        other => Err(format!("graph optimization: expected all or disable, got {other}")),
    };
    let segment_options =
        SegmentModelOptions::new().with_optimization_level(level()?).with_intra_threads(threads);
    let embed_options =
        EmbedModelOptions::new().with_optimization_level(level()?).with_intra_threads(threads);
    let mut options = OwnedPipelineOptions::new();
    if threshold != "default" {
        options = options.with_threshold(threshold.parse()?);
    }

    serve(recordings, || {
        let mut segmentation = SegmentModel::from_file_with_options(segmentation, segment_options)?;
        let mut embedding = EmbedModel::from_file_with_options(embedding, embed_options)?;
        let plda = PldaTransform::new()?;
        let pipeline = OwnedDiarizationPipeline::with_options(options);
        Ok(move |samples: &[f32]| {
            let output = pipeline.run(&mut segmentation, &mut embedding, &plda, samples)?;
            Ok(move || {
                let spans = output.spans_slice().iter();
                Ok(spans
                    .map(|span| (span.start(), span.start() + span.duration(), span.cluster()))
                    .collect::<Vec<Segment>>())
            })
        })
    })
}
