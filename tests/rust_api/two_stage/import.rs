//! Where embedding networks are split, and what is kept of it beside the file.

use std::path::{Path, PathBuf};

use voiceflow::model::{import_model, validate};
use voiceflow::{Error, ModelSource};

use super::{bytes, config, diarize, family, pair, sound};

/// A folder with a copy of a fixture as `net.onnx`.
fn copied(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    std::fs::copy(family(name), &path).unwrap();
    (folder, path)
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path.with_extension("import.json")).unwrap()).unwrap()
}

#[test]
fn families_are_split_where_their_frames_are_still_local() {
    for name in ["wespeaker_resnet34", "eres2net", "eres2netv2", "campplus", "campplus_batch1"] {
        let (folder, path) = copied(name);
        let imported = import_model(&path, &config()).unwrap();
        let tensor = imported.split.unwrap();
        let value = json(&path);
        println!("{name}: {value}");
        assert_eq!(imported.files.len(), 3);
        assert!(imported.files.iter().all(|file| file.is_file()));
        assert_eq!(
            names(folder.path()),
            ["net.frames.onnx", "net.import.json", "net.onnx", "net.pooling.onnx"]
        );
        assert_eq!((&value["format"], &value["split"]["tensor"]), (&2.into(), &tensor.as_str().into()));
        assert_eq!(value["model_sha256"].as_str().unwrap().len(), 64);
        assert!(value.get("whole_because").is_none());
        if name.starts_with("campplus") {
            // The convolutional head and the first layer, which halves time; all later ones look at
            // means over all of it.
            assert_eq!(value["split"]["stride"], 2, "{value}");
        } else {
            assert_eq!(value["split"]["stride"], 8, "{value}");
        }
        // Nearly all weights lie before the pooling; in CAM++ after the head.
        let size = |ending: &str| path.with_extension(ending).metadata().unwrap().len();
        assert_eq!(size("frames.onnx") > size("pooling.onnx"), !name.starts_with("campplus"), "{name}");
    }
}

#[test]
fn families_whose_frames_depend_on_all_others_run_as_a_whole() {
    for (name, reason) in [
        ("wespeaker_ecapa", "depend on all others"),
        ("titanet", "told the number of frames"),
        ("speakernet", "told the number of frames"),
    ] {
        let (folder, path) = copied(name);
        let imported = import_model(&path, &config()).unwrap();
        assert_eq!(imported.files, [path.with_extension("import.json")]);
        assert_eq!(names(folder.path()), ["net.import.json", "net.onnx"]);
        let text = imported.split.unwrap_err();
        println!("{name}: {text}");
        assert!(text.contains(reason), "{name}: {text}");
        assert_eq!(json(&path)["whole_because"], text);
        assert!(json(&path).get("split").is_none());
    }
}

/// What a diarizer with the embedding network in `path` says of some sound.
fn result(path: &Path) -> voiceflow::Diarization {
    let diarizer = voiceflow::Diarizer::new(&pair(&family("segmentation"), path)).unwrap();
    diarize(&diarizer, &sound::syllables(14))
}

#[test]
fn what_was_found_is_used_and_damage_is_noticed() {
    for name in ["wespeaker_resnet34", "wespeaker_ecapa"] {
        let (_folder, path) = copied(name);
        let expected = result(&path);
        assert!(!expected.speakers.is_empty());
        import_model(&path, &config()).unwrap();
        assert_eq!(result(&path), expected, "{name}: from the cache");
        let record = path.with_extension("import.json");
        let good = std::fs::read(&record).unwrap();
        let text = String::from_utf8(good.clone()).unwrap();
        let mut damaged = vec![
            b"garbage".to_vec(),
            b"{}".to_vec(),
            Vec::new(),
            good[..good.len() / 2].to_vec(),
            text.replace("\"format\": 2", "\"format\": 1").into_bytes(),
            text.replace("\"stride\": 8", "\"stride\": 0").replace("whole_because", "other").into_bytes(),
            text.replace("\"axis\": ", "\"axis\": -").replace("whole_because", "other").into_bytes(),
        ];
        // The record of another model.
        let (_other_folder, other) = copied("eres2net");
        import_model(&other, &config()).unwrap();
        damaged.push(std::fs::read(other.with_extension("import.json")).unwrap());
        for damage in damaged {
            assert_ne!(damage, good);
            std::fs::write(&record, &damage).unwrap();
            assert_eq!(result(&path), expected, "{name}: {}", String::from_utf8_lossy(&damage));
        }
        std::fs::write(&record, &good).unwrap();
        for part in ["frames.onnx", "pooling.onnx"].map(|ending| path.with_extension(ending)) {
            if !part.is_file() {
                continue;
            }
            let whole = std::fs::read(&part).unwrap();
            let mut tampered = whole.clone();
            *tampered.last_mut().unwrap() ^= 1;
            for bytes in [tampered, whole[..whole.len() / 2].to_vec(), Vec::new()] {
                std::fs::write(&part, bytes).unwrap();
                assert_eq!(result(&path), expected, "{name}: {}", part.display());
            }
            std::fs::remove_file(&part).unwrap();
            assert_eq!(result(&path), expected, "{name}: without {}", part.display());
            std::fs::write(&part, whole).unwrap();
        }
    }
}

#[test]
fn the_record_is_really_what_is_loaded() {
    // One that says of a network that can be split that it cannot.
    let (_folder, path) = copied("wespeaker_resnet34");
    import_model(&path, &config()).unwrap();
    let facts = |path: &Path| {
        let report = validate(&ModelSource::File(path.to_owned()), &config()).unwrap();
        assert_eq!(report.breaches, [""; 0]);
        report.facts.into_iter().find(|(name, _)| *name == "frames").unwrap().1
    };
    assert_eq!(facts(&path), "computed once for all windows, 80 ms apart");
    let sha256 = json(&path)["model_sha256"].as_str().unwrap().to_owned();
    let record = format!(r#"{{"format": 2, "model_sha256": "{sha256}", "whole_because": "said so"}}"#);
    std::fs::write(path.with_extension("import.json"), record).unwrap();
    assert_eq!(facts(&path), "computed for each window and speaker");
}

#[test]
fn what_cannot_be_written_or_read_is_named() {
    let (_folder, path) = copied("wespeaker_resnet34");
    // Root may write anywhere, but nobody can put a file in place of a folder that is not empty.
    let blocked = path.with_extension("pooling.onnx");
    std::fs::create_dir_all(blocked.join("inside")).unwrap();
    let error = import_model(&path, &config()).unwrap_err();
    println!("{error}");
    assert!(matches!(&error, Error::Io { path, .. } if *path == blocked), "{error}");
    assert!(!path.with_extension("import.json").exists());
    assert!(names(path.parent().unwrap()).iter().all(|name| !name.ends_with(".part")));
    let error = import_model(path.with_file_name("none.onnx"), &config()).unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    std::fs::write(&path, &bytes("campplus")[..5000]).unwrap();
    let error = import_model(&path, &config()).unwrap_err();
    assert!(matches!(error, Error::Model(_)), "{error}");
    assert!(error.to_string().contains("net.onnx: not a valid ONNX model"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = copied("titanet");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(folder.path().join("probe"), "").is_ok() {
        // Root is not kept out.
        return;
    }
    let error = import_model(&path, &config()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("net.import.json")), "{error}");
}
