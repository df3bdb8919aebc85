//! Memory whose size a caller or a file decides. Rust ends the process where an ordinary allocation
//! fails; these ask first, and answer [`Error::Memory`], which takes no memory itself.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use ndarray::{Array, ArrayView, Dimension, IntoDimension};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use crate::error::{Error, Result};

/// A vector with room for `len` elements, of `what`.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn with_capacity<T>(what: &'static str, len: usize) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| refused::<T>(what, len))?;
    Ok(vec)
}

/// Room for `more` elements behind those of `vec`. Its capacity grows by a factor, so that many
/// small steps take time in proportion to what they add.
///
/// # Errors
/// [`Error::Memory`]; `vec` is as before.
pub(crate) fn reserve<T>(what: &'static str, vec: &mut Vec<T>, more: usize) -> Result<()> {
    vec.try_reserve(more).map_err(|_| refused::<T>(what, vec.len().saturating_add(more)))
}

/// As [`reserve`], without more than that: for who knows how much it will need.
///
/// # Errors
/// [`Error::Memory`]; `vec` is as before.
pub(crate) fn reserve_exact<T>(what: &'static str, vec: &mut Vec<T>, more: usize) -> Result<()> {
    vec.try_reserve_exact(more).map_err(|_| refused::<T>(what, vec.len().saturating_add(more)))
}

/// Fails where there is no block of so many `T` now. For the work of packages that allocate as they
/// go: what they need is asked for beforehand, in one piece, and given back.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn ask<T>(what: &'static str, len: usize) -> Result<()> {
    with_capacity::<T>(what, len).map(drop)
}

/// Adds one element.
///
/// # Errors
/// [`Error::Memory`]; `vec` is as before.
pub(crate) fn push<T>(what: &'static str, vec: &mut Vec<T>, value: T) -> Result<()> {
    reserve(what, vec, 1)?;
    vec.push(value);
    Ok(())
}

/// Adds all of `values`, which know how many they are.
///
/// # Errors
/// [`Error::Memory`]; `vec` is as before.
pub(crate) fn extend<T>(
    what: &'static str,
    vec: &mut Vec<T>,
    values: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
) -> Result<()> {
    let values = values.into_iter();
    reserve(what, vec, values.len())?;
    vec.extend(values);
    Ok(())
}

/// Room for `more` elements behind those of a queue; see [`reserve`].
///
/// # Errors
/// [`Error::Memory`]; `queue` is as before.
pub(crate) fn reserve_back<T>(what: &'static str, queue: &mut VecDeque<T>, more: usize) -> Result<()> {
    queue.try_reserve(more).map_err(|_| refused::<T>(what, queue.len().saturating_add(more)))
}

/// Makes `vec` `len` elements long, new ones being `value`.
///
/// # Errors
/// [`Error::Memory`]; `vec` is as before.
pub(crate) fn resize<T: Clone>(what: &'static str, vec: &mut Vec<T>, len: usize, value: T) -> Result<()> {
    reserve(what, vec, len.saturating_sub(vec.len()))?;
    vec.resize(len, value);
    Ok(())
}

/// `len` times `value`.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn filled<T: Clone>(what: &'static str, len: usize, value: T) -> Result<Vec<T>> {
    let mut vec = with_capacity(what, len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// A copy of `values`.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn copied<T: Copy>(what: &'static str, values: &[T]) -> Result<Vec<T>> {
    let mut vec = with_capacity(what, values.len())?;
    vec.extend_from_slice(values);
    Ok(vec)
}

/// The elements of an iterator, however many they are.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn collected<T>(what: &'static str, values: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
    let values = values.into_iter();
    let mut vec = with_capacity(what, values.size_hint().0)?;
    for value in values {
        push(what, &mut vec, value)?;
    }
    Ok(vec)
}

/// An array of this shape of `value`.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn array<T: Clone, S: IntoDimension>(
    what: &'static str,
    shape: S,
    value: T,
) -> Result<Array<T, S::Dim>> {
    let shape = shape.into_dimension();
    let len = shape.size_checked().ok_or_else(|| refused::<T>(what, usize::MAX))?;
    shaped(what, shape, filled(what, len, value)?)
}

/// A copy of an array, in standard layout.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn owned<T: Clone, D: Dimension>(
    what: &'static str,
    view: &ArrayView<'_, T, D>,
) -> Result<Array<T, D>> {
    let mut values = with_capacity(what, view.len())?;
    match view.as_slice() {
        Some(slice) => values.extend_from_slice(slice),
        None => values.extend(view.iter().cloned()),
    }
    shaped(what, view.raw_dim(), values)
}

/// `values`, in the order of their indices, as an array of this shape, which has as many.
fn shaped<T, D: Dimension>(what: &'static str, shape: D, values: Vec<T>) -> Result<Array<T, D>> {
    let len = values.len();
    Array::from_shape_vec(shape, values).map_err(|_| refused::<T>(what, len))
}

/// Reads an array as serde does, with memory that is asked for: for `#[serde(deserialize_with)]`.
///
/// # Errors
/// Those of the deserializer, and the text of [`Error::Memory`] as one.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> std::result::Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Elements(PhantomData))
}

/// Collects the elements of an array.
struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> std::result::Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            push("array", &mut elements, element).map_err(A::Error::custom)?;
        }
        Ok(elements)
    }
}

/// A text that grows by what is written to it; see [`Text::finish`].
pub(crate) struct Text {
    what: &'static str,
    text: String,
    refused: Option<usize>,
}

impl Text {
    /// An empty text, of `what`.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, text: String::new(), refused: None }
    }

    /// The text.
    ///
    /// # Errors
    /// [`Error::Memory`] where something that was written found no room.
    pub(crate) fn finish(self) -> Result<String> {
        match self.refused {
            None => Ok(self.text),
            Some(bytes) => Err(Error::Memory { what: self.what, bytes }),
        }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.try_reserve(more.len()).is_err() {
            self.refused.get_or_insert(self.text.len().saturating_add(more.len()));
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

/// The error for `len` elements that found no room.
fn refused<T>(what: &'static str, len: usize) -> Error {
    Error::Memory { what, bytes: len.saturating_mul(size_of::<T>()) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// More than any machine has.
    const TOO_MANY: usize = isize::MAX as usize / 16;

    #[test]
    fn what_does_not_fit_is_an_error_that_names_it() {
        let error = with_capacity::<u64>("windows", TOO_MANY).unwrap_err();
        assert_eq!(error.to_string(), format!("windows: no memory for {} bytes", TOO_MANY * 8));
        assert!(filled("windows", TOO_MANY, 0.0_f64).is_err());
        assert!(array("distances", (TOO_MANY, 1), 0.0_f64).is_err());
        assert!(array("distances", (usize::MAX, 2), 0_u8).is_err());
        let mut vec = vec![1_u64];
        assert!(reserve("windows", &mut vec, TOO_MANY).is_err());
        assert!(resize("windows", &mut vec, TOO_MANY, 0).is_err());
        assert_eq!(vec, [1]);
    }

    #[test]
    fn what_fits_is_as_the_ordinary_way_makes_it() {
        assert_eq!(collected("numbers", (0..10).filter(|n| n % 2 == 0)).unwrap(), [0, 2, 4, 6, 8]);
        assert_eq!(copied("numbers", &[1, 2]).unwrap(), [1, 2]);
        let ones = array("numbers", (2, 3), 1).unwrap();
        assert_eq!(ones, ndarray::array![[1, 1, 1], [1, 1, 1]]);
        let numbers = ndarray::array![[1, 2, 3], [4, 5, 6]];
        assert_eq!(owned("numbers", &numbers.t()).unwrap(), numbers.t());
        let mut vec = vec![1];
        extend("numbers", &mut vec, [2, 3]).unwrap();
        push("numbers", &mut vec, 4).unwrap();
        resize("numbers", &mut vec, 6, 0).unwrap();
        assert_eq!(vec, [1, 2, 3, 4, 0, 0]);
        let mut text = Text::new("text");
        write!(text, "{} and {}", 1, 2).unwrap();
        assert_eq!(text.finish().unwrap(), "1 and 2");
    }
}
