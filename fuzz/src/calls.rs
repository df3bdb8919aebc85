//! The functions of include/voiceflow.h as a grammar: what each takes, and values for it out of an
//! input. build.rs makes the table of the header.
//!
//! Pointers lead to memory of exactly the size that the call says, so that the sanitizer sees a
//! byte too much. Sizes that lie are given only where no memory could be so large, which the
//! library must see before it reads.

use std::ffi::{c_char, c_void};

use crate::input::Input;

pub type LogFn = unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char);

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

/// A function of the header.
pub struct Function {
    pub name: &'static str,
    pub returns: Returns,
    /// Names and kinds.
    pub parameters: &'static [(&'static str, Kind)],
    /// Calls it with a value for each parameter; gives the status, 0 where it returns none.
    pub call: fn(&[Value]) -> i32,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Returns {
    Status,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Number(Number),
    /// A handle of this type.
    Handle(&'static str),
    /// Where a handle of this type is put.
    NewHandle(&'static str),
    Text,
    /// Elements of so many bytes that are read; of 0, a struct that begins with its size.
    In(usize),
    /// The same, written.
    Out(usize),
    UserData,
    /// A callback of this type.
    Callback(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    USIZE,
    U64,
    U32,
    I32,
    F32,
    F64,
}

/// A value for a parameter: its bits, which a call reads as the parameter's type.
#[derive(Clone, Copy, Default)]
pub struct Value {
    bits: u64,
    log: Option<LogFn>,
}

impl Value {
    #[must_use]
    pub fn of(bits: u64) -> Self {
        Self { bits, ..Self::default() }
    }

    #[must_use]
    pub fn to<T>(pointer: *const T) -> Self {
        Self::of(pointer as u64)
    }

    #[must_use]
    pub fn callback(log: LogFn) -> Self {
        Self { bits: 0, log: Some(log) }
    }

    #[must_use]
    pub fn usize(self) -> usize {
        self.bits as usize
    }

    #[must_use]
    pub fn u64(self) -> u64 {
        self.bits
    }

    #[must_use]
    pub fn u32(self) -> u32 {
        self.bits as u32
    }

    #[must_use]
    pub fn i32(self) -> i32 {
        self.bits as i32
    }

    #[must_use]
    pub fn f32(self) -> f32 {
        f32::from_bits(self.bits as u32)
    }

    #[must_use]
    pub fn f64(self) -> f64 {
        f64::from_bits(self.bits)
    }

    #[must_use]
    pub fn pointer(self) -> *mut c_void {
        self.bits as *mut c_void
    }

    #[must_use]
    pub fn log(self) -> Option<LogFn> {
        self.log
    }
}

const INTEGERS: [u64; 16] =
    [0, 1, 2, 3, 4, 5, 8, 16, 64, 100, 256, 1_000, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, u64::MAX];
const REALS: [f64; 14] =
    [0.0, -0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0, 60.0, -1.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const RATES: [u64; 8] = [16_000, 8_000, 48_000, 44_100, 1_000, 0, 768_001, 0xffff_ffff];
const CHANNELS: [u64; 6] = [1, 2, 1, 32, 33, 0];
/// Counts of elements for which no memory is large enough.
const TOO_MANY: [u64; 3] = [u64::MAX, 1 << 63, 1 << 62];

/// A number for a parameter of this name.
#[must_use]
pub fn number(name: &str, number: Number, input: &mut Input<'_>) -> u64 {
    match (name, number) {
        (_, Number::F32) if input.u8() < 32 => u64::from(input.u32()),
        (_, Number::F32) => u64::from((input.choose(&REALS) as f32).to_bits()),
        (_, Number::F64) if input.u8() < 32 => input.u64(),
        (_, Number::F64) => input.choose(&REALS).to_bits(),
        ("sample_rate", _) => input.choose(&RATES),
        ("channels", _) => input.choose(&CHANNELS),
        ("n_frames", _) => input.below(20_000) as u64,
        ("batch", _) => input.below(4) as u64,
        ("n_segments", _) => input.below(300) as u64,
        ("n_speakers", _) => input.choose(&[0, 1, 2, 3, 4, 100, 101]),
        ("embedding_dim", _) => input.choose(&[8, 8, 0, 1, 256]),
        ("samples", _) => 160 * input.below(100) as u64 + input.below(4) as u64,
        (name, _) if name.ends_with("cap") => {
            let small = input.below(8) as u64;
            input.choose(&[0, 1, small, 65, 512, 8_192])
        }
        ("speaker" | "index", _) => input.choose(&[0, 1, 2, 3, u64::MAX, 0x7fff_ffff]),
        ("dim", _) => input.choose(&[8, 8, 8, 0, 7, 9, 256]),
        ("size", _) => input.below(4_096) as u64,
        _ if input.u8() < 24 => input.u64(),
        _ => input.choose(&INTEGERS),
    }
}

/// A count of elements that no memory holds.
#[must_use]
pub fn too_many(input: &mut Input<'_>) -> u64 {
    input.choose(&TOO_MANY)
}

impl Function {
    /// The place of the capacity that belongs to the buffer at `at`; `None` for a single value.
    #[must_use]
    pub fn capacity(&self, at: usize) -> Option<usize> {
        let (name, _) = self.parameters[at];
        if name == "n" || name.ends_with("_n") {
            return None;
        }
        let is_out = |(_, kind): &(&str, Kind)| matches!(kind, Kind::Out(_));
        let after = self.parameters[at..].iter().position(|parameter| !is_out(parameter))?;
        self.parameters[at + after].0.ends_with("cap").then_some(at + after)
    }

    /// The place of the count of what was written to the buffer whose capacity stands at
    /// `capacity`.
    #[must_use]
    pub fn count(&self, capacity: usize) -> Option<usize> {
        let (name, _) = self.parameters.get(capacity + 1)?;
        (*name == "n" || name.ends_with("_n")).then_some(capacity + 1)
    }

    /// The places of the numbers whose product is the count of elements at `at`.
    #[must_use]
    pub fn lengths(&self, at: usize) -> Vec<usize> {
        let named = |place: usize, name: &str| self.parameters.get(place).is_some_and(|(n, _)| *n == name);
        match () {
            () if named(at + 1, "batch") => vec![at + 1, at + 2],
            () if named(at + 2, "embedding_dim") => vec![at + 1, at + 2],
            () if named(at + 3, "channels") => vec![at + 1, at + 3],
            () => vec![at + 1],
        }
    }
}
