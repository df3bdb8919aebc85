//! What an ONNX file says of itself: its tensors and its metadata.

use std::collections::BTreeMap;
use std::str::FromStr;

use ort::session::Session as OrtSession;
use ort::value::{Outlet, ValueType};

use super::tensors::Elements;
use crate::error::{Error, Result};

/// A tensor as the file declares it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) elements: Option<Elements>,
    /// `None` where the size differs from run to run.
    pub(crate) sizes: Vec<Option<usize>>,
    /// Its type in words of ONNX Runtime.
    pub(crate) declared: String,
}

impl std::fmt::Display for Tensor {
    /// `x` float32 [?, ?, 80].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes = self.sizes.iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string()));
        let elements = self.elements.map_or("of no numbers".to_owned(), |elements| elements.to_string());
        write!(f, "`{}` {elements} [{}]", self.name, sizes.collect::<Vec<_>>().join(", "))
    }
}

impl Tensor {
    fn of(outlet: &Outlet) -> Self {
        let (elements, sizes) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                (Some(*ty), shape.iter().map(|&size| usize::try_from(size).ok()).collect())
            }
            _ => (None, Vec::new()),
        };
        Tensor { name: outlet.name().to_owned(), elements, sizes, declared: outlet.dtype().to_string() }
    }

    /// Whether it holds float32 and has this many axes.
    pub(crate) fn is_float(&self, axes: usize) -> bool {
        self.elements == Some(Elements::Float32) && self.sizes.len() == axes
    }
}

/// The tensors and metadata of a file.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// How messages name the file.
    file: String,
    properties: BTreeMap<String, String>,
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
}

/// The metadata of a file.
fn properties(session: &OrtSession) -> BTreeMap<String, String> {
    let Ok(metadata) = session.metadata() else { return BTreeMap::new() };
    let keys = metadata.custom_keys().unwrap_or_default();
    keys.into_iter().filter_map(|key| Some((key.clone(), metadata.custom(&key)?))).collect()
}

impl Description {
    /// Reads what `session` says of its file, which messages call `file`.
    pub(crate) fn of(session: &OrtSession, file: &str) -> Self {
        Description {
            file: file.to_owned(),
            properties: properties(session),
            inputs: session.inputs().iter().map(Tensor::of).collect(),
            outputs: session.outputs().iter().map(Tensor::of).collect(),
        }
    }

    /// Of a network in two parts, of which this is the first, and `last` gives the outputs.
    pub(crate) fn with_outputs(mut self, last: Self) -> Self {
        self.outputs = last.outputs;
        self
    }

    /// Of a file with these metadata and one float32 tensor on each side; a size of 0 differs from
    /// run to run.
    #[cfg(fuzzing)]
    pub(crate) fn declared(properties: BTreeMap<String, String>, input: &[usize], output: &[usize]) -> Self {
        let tensors = |name: &str, sizes: &[usize]| {
            let sizes = sizes.iter().map(|&size| (size > 0).then_some(size)).collect();
            let declared = "tensor".to_owned();
            vec![Tensor { name: name.to_owned(), elements: Some(Elements::Float32), sizes, declared }]
        };
        let file = "fuzz".to_owned();
        Description { file, properties, inputs: tensors("feats", input), outputs: tensors("embs", output) }
    }

    /// The text of a metadata key; an empty one counts as missing.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// The number of a metadata key.
    ///
    /// # Errors
    /// [`Error::Model`] when it is there and no number of this kind.
    pub(crate) fn number<T: FromStr>(&self, key: &str) -> Result<Option<T>> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let short: String = text.chars().take(40).collect();
        text.parse()
            .map(Some)
            .map_err(|_| self.broken(&format!("metadata `{key}`: expected a number, found {short:?}")))
    }

    /// All metadata of the file.
    pub(crate) fn properties(&self) -> &BTreeMap<String, String> {
        &self.properties
    }

    /// Refuses a file that fixes the rows of a run at none, or at more than `most`.
    pub(crate) fn check_batch(&self, fixed: Option<usize>, most: usize) -> Result<()> {
        match fixed {
            Some(rows) if !(1..=most).contains(&rows) => Err(self
                .broken(&format!("first axis of the input: expected a batch of 1 to {most}, found {rows}"))),
            _ => Ok(()),
        }
    }

    /// The error of a file whose network cannot be run as it is meant to be; other errors stay.
    pub(crate) fn failing(&self, error: Error) -> Error {
        match error {
            Error::Runtime(text) => self.broken(&text),
            other => other,
        }
    }

    /// The error of a file that is not what it should be.
    pub(crate) fn broken(&self, reason: &str) -> Error {
        Error::Model(format!("{}: {reason}", self.file))
    }

    /// The error of a file with other tensors than `expected` says.
    pub(crate) fn wrong_tensors(&self, kind: &str, expected: &str) -> Error {
        let list = |tensors: &[Tensor]| tensors.iter().map(Tensor::to_string).collect::<Vec<_>>().join(", ");
        self.broken(&format!(
            "expected {kind} with {expected}, found the inputs {} and the outputs {}",
            list(&self.inputs),
            list(&self.outputs)
        ))
    }
}
