//! Known voices: who is taken for whom, what their files keep and refuse, and real recordings.

mod enrolling;
mod files;
mod identifying;
mod recordings;

use voiceflow::model::{ModelInfo, Thresholds};
use voiceflow::{Gallery, Provider, Voice};

/// A model with voices of three values.
fn model(name: &str, sha256_digit: char) -> ModelInfo {
    ModelInfo {
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        sample_rate: 16000,
        window_samples: 48000,
        hop_samples: 8000,
        frame_step_samples: 160,
        frame_offset_samples: 80,
        max_speakers: 3,
        embedding_dim: 3,
        thresholds: Thresholds::default(),
        sha256: sha256_digit.to_string().repeat(64),
        voice_space: String::new(),
        provider: Provider::Cpu,
    }
}

fn voice(embedding: [f32; 3], speech_s: f64) -> Voice {
    Voice { embedding: embedding.to_vec(), speech_s }
}

/// A gallery with these people, 10 s of each.
fn gallery(people: &[(&str, [f32; 3])]) -> Gallery {
    let mut gallery = Gallery::new(&model("test", 'a'));
    for &(name, embedding) in people {
        gallery.enroll(name, &voice(embedding, 10.0)).unwrap();
    }
    gallery
}

fn names(gallery: &Gallery) -> Vec<&str> {
    gallery.names().collect()
}
