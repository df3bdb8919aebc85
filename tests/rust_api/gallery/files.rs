//! The file of a gallery: it keeps every bit, and nothing in it is believed unchecked.

use std::path::PathBuf;

use tempfile::TempDir;
use voiceflow::{Error, Gallery};

use super::{gallery, model, voice};

/// Two people, the first by two recordings with numbers that no decimal holds.
fn two() -> Gallery {
    let mut gallery = gallery(&[("ada \"a\" 会", [0.1, -0.2, 0.7]), ("ben", [1e-30, 1.0, -3e-9])]);
    gallery.enroll("ada \"a\" 会", &voice([0.3, 0.1, 0.5], 1.0 / 3.0)).unwrap();
    gallery
}

fn written(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn text() -> String {
    let (_folder, path) = written("");
    two().save(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_is_saved_is_loaded_to_the_bit() {
    let (folder, path) = written("");
    for gallery in [two(), gallery(&[])] {
        gallery.save(&path).unwrap();
        assert_eq!(Gallery::load(&path, &model("test", 'a')).unwrap(), gallery);
    }
    // Numbers of every size, and an enrolment after loading as one before it.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut gallery = gallery(&[]);
    for index in 0..500 {
        let embedding = [next(), next() * 1e-3, next() * 1e-9];
        gallery.enroll(&format!("p{index}"), &voice(embedding, f64::from(next()).abs() + 0.1)).unwrap();
    }
    gallery.save(&path).unwrap();
    let mut loaded = Gallery::read(&path).unwrap();
    assert_eq!(loaded, gallery);
    for gallery in [&mut loaded, &mut gallery] {
        gallery.enroll("p7", &voice([0.5, 0.2, 0.1], 3.0)).unwrap();
    }
    assert_eq!(loaded, gallery);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json");
    two().save(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Names this test's own process, which saves until it is killed.
const SAVES: &str = "VF_TEST_SAVES";

/// Whenever a process that saves is killed, the gallery is whole, and the next save removes what it
/// left.
#[test]
fn a_killed_process_leaves_a_whole_gallery_and_the_next_save_cleans_up() {
    let mut gallery = gallery(&[]);
    for index in 0..3_000_u16 {
        gallery.enroll(&format!("p{index}"), &voice([1.0, f32::from(index), 0.5], 10.0)).unwrap();
    }
    if let Some(path) = std::env::var_os(SAVES) {
        loop {
            gallery.save(&path).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json");
    gallery.save(&path).unwrap();
    let entries = || std::fs::read_dir(&folder).unwrap().count();
    let mut left = 0;
    for round in 0..20 {
        let mut saving = std::process::Command::new(std::env::current_exe().unwrap())
            // The thread of a test is named after it.
            .args(["--exact", std::thread::current().name().unwrap()])
            .env(SAVES, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let begun = std::time::Instant::now();
        while entries() == 1 && begun.elapsed().as_secs() < 20 {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(round % 5));
        saving.kill().unwrap();
        saving.wait().unwrap();
        left += entries() - 1;
        assert_eq!(Gallery::read(&path).unwrap(), gallery, "round {round}");
        gallery.save(&path).unwrap();
        assert_eq!(entries(), 1, "round {round}");
    }
    assert!(left > 0, "no process was killed while it saved");
}

#[test]
fn fifty_thousand_are_enrolled_saved_and_loaded_in_their_order() {
    let (_folder, path) = written("");
    let names = (0..50_000).map(|index| format!("person {index}")).collect::<Vec<_>>();
    let mut gallery = gallery(&[]);
    for name in &names {
        gallery.enroll(name, &voice([1.0, 0.5, 0.25], 10.0)).unwrap();
    }
    gallery.save(&path).unwrap();
    let loaded = Gallery::read(&path).unwrap();
    assert!(loaded.voices().iter().map(|voice| &voice.name).eq(&names));
}

#[test]
fn the_gallery_of_another_model_is_refused() {
    let (_folder, path) = written(text());
    let error = Gallery::load(&path, &model("other", 'b')).unwrap_err();
    assert!(matches!(error, Error::Gallery(_)), "{error:?}");
    let said = error.to_string();
    assert!(said.starts_with(&format!("{}: model: expected that of the gallery", path.display())), "{said}");
    assert!(said.contains("\"test\" 1.2.3") && said.contains("\"other\" 1.2.3"), "{said}");
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Gallery::read(folder.path().join("none.json")), Err(Error::NotFound(_))));
    assert!(matches!(Gallery::read(folder.path()), Err(Error::Gallery(_))));
    let large = folder.path().join("large.json");
    std::fs::File::create(&large).unwrap().set_len((256 << 20) + 1).unwrap();
    assert!(matches!(Gallery::read(&large), Err(Error::Limit(_))));
    assert!(matches!(gallery(&[]).save(folder.path().join("no/g.json")), Err(Error::NotFound(_))));
}

#[test]
fn a_field_that_is_wrong_is_named() {
    let text = text();
    let again = text.replace("\"ben\"", "\"ada \\\"a\\\" 会\"");
    assert_ne!(again, text);
    let dimension = text.replace("\"dimension\": 3", "\"dimension\": 4");
    for (changed, expected) in [
        (
            text.replace("voiceflow-gallery", "other"),
            "format: expected \"voiceflow-gallery\", found \"other\"",
        ),
        (text.replace("\"version\": 1,", "\"version\": 2,"), "version: expected 1, found 2"),
        (text.replace(&"a".repeat(64), "aa"), "model.sha256: expected 64 lower-case hexadecimal digits"),
        (dimension, "voices[0]: embedding: expected 4 values, found 3"),
        (again, "voices[1]: name: expected each once, found \"ada \\\"a\\\" 会\" again"),
        (text.replace("\"ben\"", "\"\""), "voices[1]: name: expected 1 to 256 bytes, got 0"),
        (text.replace("\"speech_s\": 10.0", "\"speech_s\": -1"), "voices[1]: speech_s: expected more than 0"),
        (
            text.replace("\"recordings\": 1", "\"recordings\": 0"),
            "voices[1]: recordings: expected at least 1",
        ),
        (
            text.replace("\"agreement\": 1.0", "\"agreement\": 1.5"),
            "voices[1]: agreement: expected more than 0",
        ),
        (text.replace(", 1.0, ", ", 1e30, "), "voices[1]: embedding: expected unit length, found 1000"),
        (
            text.replace(", 1.0, ", ", 1e300, "),
            "expected a gallery as JSON, which it is not: number out of range",
        ),
        (
            text.replace("\"recordings\"", "\"r\""),
            "expected a gallery as JSON, which it is not: missing field `recordings`",
        ),
        ("[".repeat(100_000), "expected a gallery as JSON, which it is not: "),
        (String::new(), "expected a gallery as JSON, which it is not: EOF"),
    ] {
        let (_folder, path) = written(&changed);
        let error = Gallery::read(&path).expect_err(expected);
        assert!(matches!(error, Error::Gallery(_)), "{error:?}");
        let said = error.to_string();
        let said = said.strip_prefix(&format!("{}: ", path.display())).unwrap();
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn too_many_voices_are_refused() {
    let entry = r#"{"name": "a", "speech_s": 1, "recordings": 1, "agreement": 1, "embedding": [1, 0, 0]}"#;
    let entries = vec![entry; 100_001].join(",");
    let text = gallery_text(&entries);
    let (_folder, path) = written(text);
    let error = Gallery::read(&path).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
    assert!(error.to_string().ends_with("voices: expected at most 100000, found 100001"), "{error}");
}

/// A file with these voices, one without line breaks.
fn gallery_text(voices: &str) -> String {
    let sha256 = "a".repeat(64);
    format!(
        r#"{{"format":"voiceflow-gallery","version":1,"model":{{"name":"m","version":"","sha256":"{sha256}"}},
        "more":[{{}}],"dimension":3,"voices":[{voices}]}}"#
    )
}

#[test]
fn members_of_later_versions_are_passed_over() {
    let (_folder, path) = written(gallery_text(""));
    assert_eq!(Gallery::read(&path).unwrap().voices().len(), 0);
}

#[test]
fn no_bytes_are_too_bad() {
    let text = text().into_bytes();
    let (_folder, path) = written("");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Gallery::read(&path)
    };
    for end in 0..text.len() - 2 {
        assert!(matches!(read(&text[..end]), Err(Error::Gallery(_))), "the first {end} bytes");
    }
    for index in 0..text.len() {
        for byte in [0, b'"', b'9', b'-', b'}', b',', 0xff] {
            let mut bytes = text.clone();
            bytes[index] = byte;
            match read(&bytes) {
                Ok(gallery) => gallery.identify(&[0.1, 0.2, 0.3], 0.5).map(drop).unwrap_or_default(),
                Err(error) => assert!(matches!(error, Error::Gallery(_)), "{error:?}"),
            }
        }
    }
}
