//! The tensors that are lent to a run, and those that it gives.

use ndarray::{ArrayView, ArrayViewD, Dimension};
use ort::session::{SessionInputValue, SessionOutputs};
pub(crate) use ort::value::TensorElementType as Elements;
use ort::value::TensorRef;

use crate::error::{Error, Result};

/// A failure of ONNX Runtime while it runs a network.
pub(super) fn failed(error: ort::Error) -> Error {
    Error::Runtime(format!("the network failed: {error}"))
}

/// A tensor that a run reads where it lies.
pub(crate) type Input<'v> = SessionInputValue<'v>;

/// Lends `values`, which are in standard layout, to a run.
///
/// # Errors
/// [`Error::Runtime`](crate::Error::Runtime).
pub(crate) fn floats<D: Dimension + 'static>(values: ArrayView<'_, f32, D>) -> Result<Input<'_>> {
    Ok(TensorRef::from_array_view(values).map_err(failed)?.into())
}

/// As [`floats`], for whole numbers.
///
/// # Errors
/// [`Error::Runtime`](crate::Error::Runtime).
pub(crate) fn integers<D: Dimension + 'static>(values: ArrayView<'_, i64, D>) -> Result<Input<'_>> {
    Ok(TensorRef::from_array_view(values).map_err(failed)?.into())
}

/// What a run gave, in the memory of ONNX Runtime.
pub(crate) struct Outputs<'a, 'r>(pub(crate) &'a SessionOutputs<'r>);

impl Outputs<'_, '_> {
    /// The output `name`, of float32; `None` where the network has none of that name.
    ///
    /// # Errors
    /// [`Error::Runtime`](crate::Error::Runtime) for one that is no tensor of float32.
    pub(crate) fn named(&self, name: &str) -> Result<Option<ArrayViewD<'_, f32>>> {
        self.0.get(name).map(|value| value.try_extract_array().map_err(failed)).transpose()
    }

    /// As [`Outputs::named`], the sizes and the values in standard layout, without an allocation.
    ///
    /// # Errors
    /// As [`Outputs::named`].
    pub(crate) fn values(&self, name: &str) -> Result<Option<(&[i64], &[f32])>> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let (shape, values) = value.try_extract_tensor().map_err(failed)?;
        Ok(Some((shape, values)))
    }

    /// All outputs, in the order of the file.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<ArrayViewD<'_, f32>>> {
        (0..self.0.len()).map(|index| self.0[index].try_extract_array().map_err(failed))
    }

    /// The first output.
    ///
    /// # Errors
    /// As [`Outputs::named`], and where there is none.
    pub(crate) fn first(&self) -> Result<ArrayViewD<'_, f32>> {
        let missing = || Error::Model("expected a network with an output, found none".to_owned());
        self.all().next().ok_or_else(missing)?
    }
}
