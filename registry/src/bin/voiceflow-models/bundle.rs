//! A bundle that is to be published: its files, and whether its models are what they should be.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use voiceflow::audio::BufferSource;
use voiceflow::model::{self, ModelKind};
use voiceflow::{Call, Config, Diarizer, ModelSource, Provider, ProviderPolicy};
use voiceflow_registry::{Digest, Staged};

use crate::exit::Failure;

/// What a bundle consists of, beside golden vectors, licences and documents.
const FILES: [&str; 8] = [
    "model.onnx",
    "segmentation.onnx",
    "embedding.onnx",
    "embedding.import.json",
    "embedding.frames.onnx",
    "embedding.pooling.onnx",
    "metadata.json",
    "validation_report.json",
];
/// The list that `publish` makes itself, and its signature.
const OWN: [&str; 2] = ["checksum.sha256", "checksum.sha256.minisig"];

/// Arguments of commands that run models.
#[derive(Args)]
pub struct RuntimeArgs {
    /// ONNX Runtime library to use (else VOICEFLOW_ORT_LIBRARY, ORT_DYLIB_PATH and the usual
    /// places)
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
}

impl RuntimeArgs {
    fn config(&self) -> Config {
        let mut config = Config::default();
        // Golden vectors are those of a CPU.
        config.set_provider(Provider::Cpu, ProviderPolicy::Required);
        if let Some(path) = &self.runtime {
            config.set_runtime_library(path);
        }
        config
    }
}

/// The files of a folder that belong to a bundle with `also`, and the others.
pub fn choose(folder: &Path, also: &[String]) -> Result<(Vec<String>, Vec<String>), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", folder.display()));
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let belongs = FILES.contains(&name.as_str())
            || is_golden(&name, also)
            || name.starts_with("LICENSE")
            || name.starts_with("NOTICE")
            || name.ends_with(".md");
        if belongs || also.contains(&name) { chosen.push(name) } else { others.push(name) }
    }
    if let Some(missing) = also.iter().find(|name| !chosen.contains(name)) {
        return Err(Failure::Usage(format!("--with {missing}: expected a file of {}", folder.display())));
    }
    chosen.sort();
    others.sort();
    Ok((chosen, others))
}

/// The golden vector of the bundle's model, or of a further one that is published with it.
fn is_golden(name: &str, also: &[String]) -> bool {
    match name.strip_suffix(".golden.json") {
        Some(stem) => also.contains(&format!("{stem}.onnx")),
        None => name == "golden.json",
    }
}

/// The model files by which a bundle is one.
pub fn models(staged: &Staged) -> Vec<(&str, Digest)> {
    let kept = |file: &&str| ["model.onnx", "segmentation.onnx", "embedding.onnx"].contains(file);
    let files = staged.checksums().files();
    files.filter(|(file, _)| kept(file)).map(|(file, digest)| (file, digest.clone())).collect()
}

/// Why the bundle cannot be published: what its models break, what its files do not agree on.
pub fn breaches(folder: &Path, staged: &Staged, runtime: &RuntimeArgs) -> Result<Vec<String>, Failure> {
    let models = models(staged);
    let names: Vec<&str> = models.iter().map(|(file, _)| *file).collect();
    let joint = match names.as_slice() {
        ["model.onnx"] => true,
        ["embedding.onnx", "segmentation.onnx"] => false,
        found => {
            let expected = "expected model.onnx, or segmentation.onnx and embedding.onnx";
            return Ok(vec![format!(
                "{expected}, found {}",
                if found.is_empty() { "none".into() } else { found.join(", ") }
            )]);
        }
    };
    let mut breaches = listed(folder, staged)?;
    breaches.extend(metadata(folder, &models)?);
    if joint {
        breaches.extend(golden(folder, staged)?);
    }
    let config = runtime.config();
    for file in staged.checksums().files().map(|(file, _)| file).filter(|file| is_whole_model(file)) {
        let expected = match file {
            "segmentation.onnx" => ModelKind::Segmentation,
            "embedding.onnx" => ModelKind::Embedding,
            _ => ModelKind::Joint,
        };
        let report = model::validate(&ModelSource::File(folder.join(file)), &config)?;
        if report.kind != expected {
            breaches.push(format!("{file}: expected a model of kind {expected:?}, found {:?}", report.kind));
        }
        breaches.extend(report.breaches.into_iter().map(|breach| format!("{file}: {breach}")));
    }
    if breaches.is_empty() {
        breaches.extend(run(folder, staged, config)?);
    }
    Ok(breaches)
}

/// Parts of an embedding network are none by themselves.
fn is_whole_model(file: &str) -> bool {
    file.ends_with(".onnx") && !["embedding.frames.onnx", "embedding.pooling.onnx"].contains(&file)
}

/// A checksum.sha256 that is there already says what its author meant.
fn listed(folder: &Path, staged: &Staged) -> Result<Vec<String>, Failure> {
    let Some(text) = read(folder, OWN[0])? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut breaches = Vec::new();
    for (digest, file) in text.lines().filter_map(|line| line.split_once("  ")) {
        match staged.checksums().of(file) {
            Some(found) if found.as_str() != digest => {
                breaches.push(format!("{file}: expected sha256 {digest} of {}, found {found}", OWN[0]));
            }
            _ => {}
        }
    }
    Ok(breaches)
}

/// What metadata.json says of the model files.
fn metadata(folder: &Path, models: &[(&str, Digest)]) -> Result<Vec<String>, Failure> {
    let metadata = json(folder, "metadata.json")?;
    let mut breaches = Vec::new();
    for (file, digest) in models {
        let of_file = metadata.get(*file).and_then(|file| file.get("sha256"));
        let said = of_file.or(metadata.get("sha256").filter(|_| models.len() == 1));
        if said.is_none_or(|said| said != digest.as_str()) {
            let said = said.map_or("none".to_owned(), Value::to_string);
            breaches.push(format!("metadata.json: expected sha256 {digest} of {file}, found {said}"));
        }
    }
    Ok(breaches)
}

/// A golden vector of another model would be passed over when the model is loaded.
fn golden(folder: &Path, staged: &Staged) -> Result<Vec<String>, Failure> {
    let mut breaches = Vec::new();
    for (file, digest) in staged.checksums().files().filter(|(file, _)| is_whole_model(file)) {
        let golden = match file {
            "model.onnx" => "golden.json".to_owned(),
            variant => format!("{}.golden.json", variant.trim_end_matches(".onnx")),
        };
        if staged.checksums().of(&golden).is_none() {
            breaches.push(format!("{golden}: expected the golden vector of {file}, there is none"));
            continue;
        }
        let said = json(folder, &golden)?.get("model_sha256").cloned().unwrap_or_default();
        if said != digest.as_str() {
            breaches.push(format!("{golden}: expected that of {file} with sha256 {digest}, found {said}"));
        }
    }
    Ok(breaches)
}

/// Loads the bundle as a program would, and diarizes two seconds.
fn run(folder: &Path, staged: &Staged, mut config: Config) -> Result<Vec<String>, Failure> {
    config.set_bundle(folder);
    let diarizer = match Diarizer::load(&config, &Call::none()) {
        Ok(diarizer) => diarizer,
        Err(error @ (voiceflow::Error::Model(_) | voiceflow::Error::Runtime(_))) => {
            return Ok(vec![error.to_string()]);
        }
        Err(error) => return Err(error.into()),
    };
    let (name, version) = (staged.name().as_str(), staged.version().to_string());
    let info = diarizer.model();
    if (info.name.as_str(), info.version.as_str()) != (name, version.as_str()) {
        let found = format!("{} {} in the models", info.name, info.version);
        return Ok(vec![format!("expected {name} {version} of metadata.json, found {found}")]);
    }
    let samples = model::golden_input()?;
    let samples: Vec<f32> = samples.iter().copied().collect();
    let mut source = BufferSource::from_f32(&samples, model::SAMPLE_RATE as u32, 1)?;
    match diarizer.process(&mut source, &Call::none()) {
        Ok(_) => Ok(Vec::new()),
        Err(error @ (voiceflow::Error::Model(_) | voiceflow::Error::Runtime(_))) => {
            Ok(vec![error.to_string()])
        }
        Err(error) => Err(error.into()),
    }
}

/// A file of the bundle as JSON.
fn json(folder: &Path, file: &str) -> Result<Value, Failure> {
    let text = read(folder, file)?.unwrap_or_default();
    serde_json::from_slice(&text)
        .map_err(|error| Failure::Failed(format!("{}: {error}", folder.join(file).display())))
}

/// A file of the bundle, if it is there.
pub fn read(folder: &Path, file: &str) -> Result<Option<Vec<u8>>, Failure> {
    let path = folder.join(file);
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| Failure::Failed(format!("{}: {error}", path.display()))),
    }
}
