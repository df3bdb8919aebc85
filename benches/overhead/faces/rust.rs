//! The Rust interface: `overhead-rust RUNTIME MODEL ROUNDS`

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Instant;

use ndarray::ArrayView2;
use reference::{
    reference_audio, reference_next, reference_open, reference_record, reference_report, reference_samples,
};
use voiceflow::model::{Inference, Session};
use voiceflow::{Call, Config, ModelSource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runtime, model, rounds] = &arguments[..] else { return Err("usage: RUNTIME MODEL ROUNDS".into()) };
    let (runtime_text, model_text) = (CString::new(runtime.as_str())?, CString::new(model.as_str())?);
    // SAFETY: texts; audio that lives as long as the program.
    let audio = unsafe {
        reference_open(runtime_text.as_ptr(), model_text.as_ptr(), rounds.parse()?);
        std::slice::from_raw_parts(reference_audio(), reference_samples())
    };
    let mut config = Config::default();
    config.set_model(ModelSource::File(PathBuf::from(model)));
    config.set_runtime_library(PathBuf::from(runtime));
    config.set_threads(1)?;
    let session = Session::new(&config)?;
    let audio = ArrayView2::from_shape((1, audio.len()), audio)?;
    let mut found = Inference::default();
    while reference_next() != 0 {
        let start = Instant::now();
        session.infer(audio, &mut found, &Call::none())?;
        reference_record(start.elapsed().as_nanos() as u64);
    }
    reference_report();
    Ok(())
}
