//! Interleaved samples as a program pushes them.

use std::borrow::Cow;
use std::ops::Range;

use crate::audio::first_not_finite;
use crate::error::{Error, Result};
use crate::memory;

/// Samples of one push.
#[derive(Clone, Copy, Debug)]
pub(super) enum Samples<'a> {
    /// Full scale ±1.
    F32(&'a [f32]),
    /// Full scale ±32768.
    I16(&'a [i16]),
}

impl<'a> Samples<'a> {
    /// Number of values.
    pub(super) fn len(&self) -> usize {
        match self {
            Samples::F32(values) => values.len(),
            Samples::I16(values) => values.len(),
        }
    }

    /// Refuses NaN and infinity.
    ///
    /// # Errors
    /// [`Error::Audio`].
    pub(super) fn check_finite(&self) -> Result<()> {
        let Samples::F32(values) = self else { return Ok(()) };
        match first_not_finite(values) {
            Some(index) => Err(Error::Audio(format!(
                "samples: expected finite values, got {} at index {index}",
                values[index]
            ))),
            None => Ok(()),
        }
    }

    /// A part of them, full scale ±1; `range` lies within them.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn part(&self, range: Range<usize>) -> Result<Cow<'a, [f32]>> {
        Ok(match self {
            Samples::F32(values) => Cow::Borrowed(&values[range]),
            Samples::I16(values) => {
                let floats = values[range].iter().map(|&sample| f32::from(sample) / 32_768.0);
                Cow::Owned(memory::collected("audio", floats)?)
            }
        })
    }

    /// All of them, full scale ±1.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn copied(&self) -> Result<Vec<f32>> {
        match self.part(0..self.len())? {
            Cow::Borrowed(values) => memory::copied("audio", values),
            Cow::Owned(values) => Ok(values),
        }
    }
}
