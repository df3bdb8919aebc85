//! Reads the PLDA model of a diarization pipeline from the two NumPy archives in which
//! pyannote/speaker-diarization-community-1 distributes it. Owns the file format; what the arrays
//! mean is in [`Plda`].

use std::io::{Cursor, Read};
use std::path::Path;

use ndarray::{Array, Array1, Array2, Dimension, Ix1, Ix2};
use zip::ZipArchive;

use crate::diarize::clustering::{Plda, PldaArrays};
use crate::error::{Error, Result};
use crate::onnx::read_file;

/// Archive with the mean and projection of the embeddings.
const TRANSFORM_FILE: &str = "xvec_transform.npz";

/// Archive with the PLDA model.
const PLDA_FILE: &str = "plda.npz";

/// Largest archive and largest array in bytes; those of community-1 have under 300 KB.
const MAX_BYTES: u64 = 16 << 20;

/// Start of an array in the format NPY, before its version.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads a PLDA model from the folder that holds `xvec_transform.npz` (arrays `mean1`, `mean2`,
/// `lda`) and `plda.npz` (`mu`, `tr`, `psi`), of 32- or 64-bit floats.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`]; [`Error::Limit`] for a file of more than 16 MiB;
/// [`Error::Model`] that names the file and the array, for what is no such archive or array, and
/// those of [`Plda::new`].
pub fn read_plda(path: impl AsRef<Path>) -> Result<Plda> {
    let path = path.as_ref();
    let mut transform = Archive::open(&path.join(TRANSFORM_FILE))?;
    let mut plda = Archive::open(&path.join(PLDA_FILE))?;
    Plda::new(PldaArrays {
        mean1: transform.vector("mean1")?,
        mean2: transform.vector("mean2")?,
        lda: transform.matrix("lda")?,
        mu: plda.vector("mu")?,
        tr: plda.matrix("tr")?,
        psi: plda.vector("psi")?,
    })
    .map_err(|error| Error::Model(format!("{}: {error}", path.display())))
}

/// A NumPy archive (NPZ): a ZIP file with an array in each entry.
struct Archive {
    name: String,
    zip: ZipArchive<Cursor<Vec<u8>>>,
}

impl Archive {
    fn open(path: &Path) -> Result<Self> {
        Self::new(path.display().to_string(), read_file(path, MAX_BYTES)?)
    }

    fn new(name: String, bytes: Vec<u8>) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            Error::Model(format!("{name}: expected a NumPy archive, found no readable ZIP file ({error})"))
        })?;
        Ok(Self { name, zip })
    }

    fn vector(&mut self, array: &str) -> Result<Array1<f64>> {
        self.array::<Ix1>(array)
    }

    fn matrix(&mut self, array: &str) -> Result<Array2<f64>> {
        self.array::<Ix2>(array)
    }

    fn array<D: Dimension>(&mut self, array: &str) -> Result<Array<f64, D>> {
        let bytes = self.entry(array).and_then(|bytes| Npy::parse(&bytes)?.into_array());
        bytes.map_err(|text| Error::Model(format!("{}: {array}: {text}", self.name)))
    }

    /// The bytes of an entry, unpacked.
    fn entry(&mut self, array: &str) -> Unreadable<Vec<u8>> {
        let Some(index) = self.zip.index_for_name(&format!("{array}.npy")) else {
            let names: Vec<&str> = self.zip.file_names().take(8).collect();
            return Err(format!("expected an array of this name, found {}", names.join(", ")));
        };
        let entry = self.zip.by_index(index).map_err(|error| damaged(&error))?;
        // What the entry says of its size is not believed.
        let mut bytes = Vec::new();
        match entry.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > MAX_BYTES => {
                Err(format!("expected at most {MAX_BYTES} bytes, got more"))
            }
            Ok(_) => Ok(bytes),
            Err(error) => Err(damaged(&error)),
        }
    }
}

fn damaged(error: &dyn std::error::Error) -> String {
    format!("expected a readable array, found a damaged one ({error})")
}

/// A result with what was expected and what was found, still without the names of file and array.
type Unreadable<T> = std::result::Result<T, String>;

/// An array in the format NPY: magic, version, length of the header, header (a Python dictionary),
/// values.
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
struct Npy<'a> {
    header: &'a str,
    values: &'a [u8],
}

impl<'a> Npy<'a> {
    fn parse(bytes: &'a [u8]) -> Unreadable<Self> {
        Self::split(bytes).ok_or_else(|| "expected an array in the format NPY, found other bytes".to_owned())
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (version, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
        let (length, rest) = match version[0] {
            1 => {
                rest.split_first_chunk::<2>().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest))?
            }
            2 | 3 => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
            }
            _ => return None,
        };
        let (header, values) = rest.split_at_checked(length)?;
        Some(Self { header: std::str::from_utf8(header).ok()?, values })
    }

    /// What stands behind a key of the header.
    fn after(&self, key: &str) -> Unreadable<&'a str> {
        let missing = || format!("expected the key {key} in the header, found none");
        let (_, rest) = self.header.split_once(&format!("'{key}':")).ok_or_else(missing)?;
        Ok(rest.trim_start())
    }

    /// Values of a type that arrays of this kind have, as 64-bit floats.
    fn floats(&self) -> Unreadable<Vec<f64>> {
        let rest = self.after("descr")?;
        let dtype = rest.trim_start_matches('\'').split('\'').next().unwrap_or_default();
        let four = |read: fn([u8; 4]) -> f32| {
            let (values, odd) = self.values.as_chunks::<4>();
            (values.iter().map(|&bytes| f64::from(read(bytes))).collect(), odd.len())
        };
        let eight = |read: fn([u8; 8]) -> f64| {
            let (values, odd) = self.values.as_chunks::<8>();
            (values.iter().map(|&bytes| read(bytes)).collect(), odd.len())
        };
        let (values, odd) = match dtype {
            "<f4" => four(f32::from_le_bytes),
            ">f4" => four(f32::from_be_bytes),
            "<f8" => eight(f64::from_le_bytes),
            ">f8" => eight(f64::from_be_bytes),
            other => {
                let other: String = other.chars().take(20).collect();
                return Err(format!("expected 32- or 64-bit floats (<f4, <f8), found the type {other}"));
            }
        };
        if odd != 0 {
            return Err(format!("expected whole values of the type {dtype}, found {odd} bytes more"));
        }
        Ok(values)
    }

    fn shape(&self) -> Unreadable<Vec<usize>> {
        let rest = self.after("shape")?;
        let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
        let lengths = inside.map(|inside| {
            inside.split(',').map(str::trim).filter(|length| !length.is_empty()).map(str::parse).collect()
        });
        match lengths {
            Some(Ok(shape)) => Ok(shape),
            _ => Err("expected a shape in the header, found none".to_owned()),
        }
    }

    fn into_array<D: Dimension>(self) -> Unreadable<Array<f64, D>> {
        let shape = self.shape()?;
        if Some(shape.len()) != D::NDIM {
            let axes = D::NDIM.unwrap_or_default();
            return Err(format!("expected {axes} axes, found the shape {shape:?}"));
        }
        let values = self.floats()?;
        let count = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        if count != Some(values.len()) {
            return Err(format!("expected the values of the shape {shape:?}, found {} values", values.len()));
        }
        let fortran = self.after("fortran_order")?.starts_with("True");
        let mut dimension = D::zeros(shape.len());
        dimension.slice_mut().copy_from_slice(&shape);
        let array = if fortran {
            Array::from_shape_vec(ndarray::ShapeBuilder::f(dimension), values)
        } else {
            Array::from_shape_vec(dimension, values)
        };
        array.map_err(|error| format!("expected a shape for its values, found {shape:?} ({error})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    fn npy(header: &str, values: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len() + 1).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), b"\n", values].concat()
    }

    fn ones(dtype: &str, shape: &str, count: usize) -> Vec<u8> {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
        let values = match dtype {
            "<f4" => 1f32.to_le_bytes().repeat(count),
            ">f8" => 1f64.to_be_bytes().repeat(count),
            _ => 1f64.to_le_bytes().repeat(count),
        };
        npy(&header, &values)
    }

    fn archive(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method))
                .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A folder with a PLDA model from 3 to 2 dimensions whose file `file` is replaced by `bytes`.
    fn read_with(file: &str, bytes: Option<&[u8]>) -> Result<Plda> {
        let folder = tempfile::tempdir().unwrap();
        let transform = [
            ("mean1", ones("<f4", "(3,)", 3)),
            ("mean2", ones("<f8", "(2,)", 2)),
            ("lda", ones(">f8", "(3, 2)", 6)),
        ];
        let plda = [
            ("mu", ones("<f4", "(2,)", 2)),
            ("tr", ones("<f8", "(2, 2)", 4)),
            ("psi", ones("<f8", "(2,)", 2)),
        ];
        std::fs::write(folder.path().join(TRANSFORM_FILE), archive(&transform, CompressionMethod::Deflated))
            .unwrap();
        std::fs::write(folder.path().join(PLDA_FILE), archive(&plda, CompressionMethod::Stored)).unwrap();
        match bytes {
            Some(bytes) => std::fs::write(folder.path().join(file), bytes).unwrap(),
            None if !file.is_empty() => std::fs::remove_file(folder.path().join(file)).unwrap(),
            None => {}
        }
        read_plda(folder.path())
    }

    fn with_psi(bytes: Vec<u8>) -> String {
        let plda = [("mu", ones("<f4", "(2,)", 2)), ("tr", ones("<f8", "(2, 2)", 4)), ("psi", bytes)];
        read_with(PLDA_FILE, Some(&archive(&plda, CompressionMethod::Stored))).unwrap_err().to_string()
    }

    #[test]
    fn floats_of_either_size_packed_or_not_are_read() {
        let plda = read_with("", None).unwrap();
        assert_eq!((plda.dimensions(), plda.phi().len()), (3, 2));
    }

    #[test]
    fn the_order_of_the_values_is_honoured() {
        let header = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
        let values: Vec<u8> = (0..6).flat_map(|value| f64::from(value).to_le_bytes()).collect();
        let bytes = npy(header, &values);
        let array: Array2<f64> = Npy::parse(&bytes).unwrap().into_array().unwrap();
        assert_eq!(array, ndarray::array![[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(matches!(read_with(PLDA_FILE, None), Err(Error::NotFound(_))));
        let text = read_with(PLDA_FILE, Some(b"no archive")).unwrap_err().to_string();
        assert!(text.contains("plda.npz: expected a NumPy archive, found no readable ZIP file"), "{text}");
        for (bytes, expected) in [
            (ones("<i8", "(2,)", 2), "psi: expected 32- or 64-bit floats (<f4, <f8), found the type <i8"),
            (ones("<f8", "(1, 2)", 2), "psi: expected 1 axes, found the shape [1, 2]"),
            (ones("<f8", "(3,)", 2), "psi: expected the values of the shape [3], found 2 values"),
            (ones("<f8", "(9223372036854775807,)", 2), "found 2 values"),
            (ones("<f8", "(99999999999999999999,)", 2), "psi: expected a shape in the header, found none"),
            (ones("<f8", "(4294967296, 4294967296)", 2), "psi: expected 1 axes, found the shape"),
            (ones("<f8", "(3,)", 3), "PLDA: psi: expected the shape [2], found [3]"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "psi: expected an array in the format NPY"),
            (npy("{}", &[]), "psi: expected the key shape in the header, found none"),
        ] {
            let text = with_psi(bytes);
            assert!(text.contains(expected), "{text}");
        }
        let other =
            archive(&[("mu", ones("<f8", "(2,)", 2)), ("trans", Vec::new())], CompressionMethod::Stored);
        let text = read_with(PLDA_FILE, Some(&other)).unwrap_err().to_string();
        assert!(text.contains("plda.npz: tr: expected an array of this name, found"), "{text}");
    }

    #[test]
    fn more_bytes_than_the_limit_are_not_unpacked() {
        let zeros = vec![0; MAX_BYTES as usize + 1];
        let plda = archive(&[("mu", zeros)], CompressionMethod::Deflated);
        assert!(plda.len() < 100_000);
        let text = read_with(PLDA_FILE, Some(&plda)).unwrap_err().to_string();
        assert!(text.ends_with("mu: expected at most 16777216 bytes, got more"), "{text}");
    }

    #[test]
    fn damaged_archives_are_refused_or_read_but_never_panic() {
        let read = |bytes: &[u8]| Archive::new("x".to_owned(), bytes.to_vec())?.matrix("tr");
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let whole = archive(&[("tr", ones("<f8", "(2, 2)", 4)), ("mu", Vec::new())], method);
            assert_eq!(read(&whole).unwrap(), Array2::<f64>::ones((2, 2)));
            for length in 0..whole.len() {
                assert!(read(&whole[..length]).is_err());
            }
            for place in 0..whole.len() {
                for bits in [0xff, 0x01, 0x80, 0x10] {
                    let mut damaged = whole.clone();
                    damaged[place] ^= bits;
                    let _ = read(&damaged);
                }
            }
        }
    }
}
