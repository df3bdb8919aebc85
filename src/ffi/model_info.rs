//! What a model says of itself, as C sees it. The first field is the caller's idea of the size, so
//! that fields can be added at the end without breaking programs already built.

use std::mem::offset_of;

use super::buffer;
use super::status::{Failure, OK, vf_status};
use crate::model::ModelInfo;

/// Sizes of a model and where it runs. Set `size` to `sizeof(vf_model_info)` before the call; later
/// releases may add fields at the end. Fields that the library does not know are set to 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct vf_model_info {
    /// Size of this struct in bytes, set by the caller.
    pub size: usize,
    /// Samples in one window.
    pub window_samples: usize,
    /// Samples from the start of one window to the next, by default.
    pub hop_samples: usize,
    /// Samples from one frame of the activity to the next.
    pub frame_step_samples: usize,
    /// Samples from the start of a window to the middle of its first frame.
    pub frame_offset_samples: usize,
    /// Samples for each second of the input, in hertz.
    pub sample_rate: u32,
    /// Local speakers in one window.
    pub max_speakers: u32,
    /// Numbers in one embedding.
    pub embedding_dim: u32,
    /// The provider in use, a number of `vf_provider`, never VF_PROVIDER_AUTO.
    pub provider: i32,
}

/// Size in the first release; less cannot come from a program that was built with this header.
const FIRST_SIZE: usize = offset_of!(vf_model_info, provider) + size_of::<i32>();
/// More than any release will have: such a size was never set.
const MAX_SIZE: usize = 4096;

/// A size of the crate as a 32-bit field; all of them have limits far below.
fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Fills as much of the caller's struct as it has.
///
/// # Safety
/// `out` is NULL or leads to a `vf_model_info` that has the bytes its field `size` says.
pub(crate) unsafe fn describe(info: &ModelInfo, out: *mut vf_model_info) -> Result<vf_status, Failure> {
    buffer::check_pointer("out", out)?;
    // SAFETY: not NULL, aligned, and at least this field is there.
    let size = unsafe { (&raw const (*out).size).read() };
    if !(FIRST_SIZE..=MAX_SIZE).contains(&size) {
        let expected = size_of::<vf_model_info>();
        return Err(Failure::invalid(format!("out: expected the field size to be {expected}, got {size}")));
    }
    let known = vf_model_info {
        size,
        window_samples: info.window_samples,
        hop_samples: info.hop_samples,
        frame_step_samples: info.frame_step_samples,
        frame_offset_samples: info.frame_offset_samples,
        sample_rate: small(info.sample_rate),
        max_speakers: small(info.max_speakers),
        embedding_dim: small(info.embedding_dim),
        provider: info.provider as i32,
    };
    let shared = size.min(size_of::<vf_model_info>());
    // SAFETY: the caller's struct has `size` bytes, of which `shared` are known here and the rest
    // are not. The struct has no padding: its size is the sum of its fields'.
    unsafe {
        let bytes = out.cast::<u8>();
        bytes.copy_from_nonoverlapping((&raw const known).cast::<u8>(), shared);
        bytes.add(shared).write_bytes(0, size - shared);
    }
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provider;

    #[test]
    fn a_newer_programs_struct_is_zero_at_its_end_and_a_wrong_size_is_refused() {
        let info = ModelInfo {
            name: "n".into(),
            version: "1.0.0".into(),
            sample_rate: 16_000,
            window_samples: 80_000,
            hop_samples: 8_000,
            frame_step_samples: 160,
            frame_offset_samples: 80,
            max_speakers: 3,
            embedding_dim: 8,
            thresholds: Default::default(),
            sha256: String::new(),
            voice_space: String::new(),
            provider: Provider::Cpu,
        };
        #[repr(C)]
        struct Newer {
            known: vf_model_info,
            added: [u64; 2],
            beyond: u64,
        }
        // SAFETY: all zeros is a value of these integers.
        let mut newer: Newer = unsafe { std::mem::zeroed() };
        (newer.added, newer.beyond) = ([7; 2], 7);
        newer.known.size = size_of::<vf_model_info>() + 16;
        // SAFETY: the struct has the size it says and more.
        unsafe { describe(&info, &raw mut newer.known) }.unwrap();
        assert_eq!((newer.known.window_samples, newer.known.provider), (80_000, 1));
        assert_eq!((newer.added, newer.beyond), ([0; 2], 7));
        for size in [0, 8, FIRST_SIZE - 1, MAX_SIZE + 1, usize::MAX] {
            newer.known.size = size;
            // SAFETY: the size is refused before anything is written.
            let failure = unsafe { describe(&info, &raw mut newer.known) }.unwrap_err();
            assert!(failure.text.contains("got"), "{}", failure.text);
        }
    }
}
