//! The clustering methods on the voices of a pair.

use std::io::Write;
use std::path::Path;

use voiceflow::{ClusteringMethod, Diarizer, Error};

use super::{diarize, diarizer, family, pair, sound};

/// Writes a PLDA for voices of `dim` numbers that leaves them as they are.
fn write_plda(folder: &Path, dim: usize) {
    let identity: Vec<f64> = (0..dim * dim).map(|at| f64::from(u8::from(at % (dim + 1) == 0))).collect();
    let zeros = vec![0.0; dim];
    // Speakers differ most in the first directions.
    let psi: Vec<f64> = (0..dim).map(|at| 8.0 / (at + 1) as f64).collect();
    let (vector, matrix) = (format!("({dim},)"), format!("({dim}, {dim})"));
    for (file, arrays) in [
        (
            "xvec_transform.npz",
            [("mean1", &vector, &zeros), ("mean2", &vector, &zeros), ("lda", &matrix, &identity)],
        ),
        ("plda.npz", [("mu", &vector, &zeros), ("psi", &vector, &psi), ("tr", &matrix, &identity)]),
    ] {
        std::fs::write(folder.join(file), archive(&arrays)).unwrap();
    }
}

/// A NumPy archive: a ZIP file of stored NPY files.
fn archive(arrays: &[(&str, &String, &Vec<f64>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, shape, values) in arrays {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut npy = b"\x93NUMPY\x01\x00".to_vec();
        npy.extend((header.len() as u16).to_le_bytes());
        npy.extend(header.as_bytes());
        npy.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let file = format!("{name}.npy");
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32(&npy).to_le_bytes());
        common.extend([npy.len() as u32; 2].iter().flat_map(|size| size.to_le_bytes()));
        common.extend((file.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let offset = out.len() as u32;
        out.write_all(&[b"PK\x03\x04".as_slice(), &common, file.as_bytes(), &npy].concat()).unwrap();
        directory.extend(
            [b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10], &offset.to_le_bytes(), file.as_bytes()]
                .concat(),
        );
    }
    let count = (arrays.len() as u16).to_le_bytes();
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat());
    out.extend([(directory.len() as u32).to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xedb8_8320))
    })
}

#[test]
fn every_method_clusters_the_voices_of_a_pair() {
    let folder = tempfile::tempdir().unwrap();
    write_plda(folder.path(), 16);
    let audio = sound::syllables(40);
    for method in
        [ClusteringMethod::Auto, ClusteringMethod::Average, ClusteringMethod::Centroid, ClusteringMethod::Vbx]
    {
        let diarizer = diarizer("wespeaker_resnet34", |config| {
            config.set_clustering_method(method);
            config.set_plda(folder.path().to_owned());
        });
        let result = diarize(&diarizer, &audio);
        assert!(!result.speakers.is_empty(), "{method:?}");
        assert_eq!(diarize(&diarizer, &audio), result, "{method:?}");
        assert!(diarize(&diarizer, &[]).speakers.is_empty());
        diarize(&diarizer, &audio[..16_000]);
    }
}

#[test]
fn the_usual_method_is_centroid_linkage() {
    let of = |method| {
        let set = |config: &mut voiceflow::Config| config.set_clustering_method(method);
        diarize(&diarizer("wespeaker_resnet34", set), &sound::syllables(40))
    };
    assert_eq!(of(ClusteringMethod::Auto), of(ClusteringMethod::Centroid));
}

#[test]
fn at_most_so_many_speakers_are_found_as_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    write_plda(folder.path(), 16);
    let audio = sound::syllables(40);
    for method in [ClusteringMethod::Average, ClusteringMethod::Centroid, ClusteringMethod::Vbx] {
        let diarizer = diarizer("wespeaker_resnet34", |config| {
            config.set_clustering_method(method);
            config.set_plda(folder.path().to_owned());
            config.set_speaker_range(0, 1).unwrap();
        });
        assert_eq!(diarize(&diarizer, &audio).speakers.len(), 1, "{method:?}");
    }
}

#[test]
fn a_plda_that_is_missing_or_for_other_voices_is_named() {
    let mut config = pair(&family("segmentation"), &family("wespeaker_resnet34"));
    config.set_clustering_method(ClusteringMethod::Vbx);
    let text = Diarizer::new(&config).unwrap_err().to_string();
    assert_eq!(text, "plda: expected the folder of a PLDA for the clustering method vbx, got none");
    let folder = tempfile::tempdir().unwrap();
    config.set_plda(folder.path().to_owned());
    assert!(matches!(Diarizer::new(&config).unwrap_err(), Error::NotFound(_)));
    write_plda(folder.path(), 12);
    let text = Diarizer::new(&config).unwrap_err().to_string();
    println!("{text}");
    assert!(
        text.contains("PLDA: expected embeddings of 12 dimensions, as it was made for, found 16"),
        "{text}"
    );
}
