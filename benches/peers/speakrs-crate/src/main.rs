//! The crate `speakrs` in its CPU mode as a contender, on recordings named on the command line.
//!
//! It has no setting for threads: it uses as many as the process may run on, 4 at most.

#[path = "../../contenders/protocol.rs"]
mod protocol;

use std::env;

use protocol::{Failure, Segment, serve};
use speakrs::{ExecutionMode, OwnedDiarizationPipeline};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [models, recordings @ ..] = arguments.as_slice() else {
        return Err("usage: peer-speakrs FOLDER-OF-MODELS WAV...".into());
    };
    serve(recordings, || {
        let mut pipeline = OwnedDiarizationPipeline::from_dir(models, ExecutionMode::Cpu)?;
        Ok(move |samples: &[f32]| {
            let result = pipeline.run(samples)?;
            Ok(move || result.segments.iter().map(segment).collect::<Result<Vec<_>, _>>())
        })
    })
}

/// Names its speakers SPEAKER_00 and on.
fn segment(segment: &speakrs::segment::Segment) -> Result<Segment, Failure> {
    let number = segment.speaker.rsplit('_').next().unwrap_or_default();
    Ok((segment.start, segment.end, number.parse()?))
}
