//! How much memory the C library's allocator keeps, which ONNX Runtime uses too.

/// Lets threads share as many arenas as the process may use cores.
///
/// The GNU C library makes up to eight for each core and gives back little of them: models that
/// were loaded by other threads each time would leave their room in every one. Where
/// `MALLOC_ARENA_MAX` is set, it counts. Other C libraries have no arenas to bound.
pub fn bound() {
    #[cfg(target_env = "gnu")]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arenas = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
        // SAFETY: mallopt takes any number, and locks the allocator.
        #[expect(unsafe_code, reason = "the C library has no other way to say so")]
        let done = unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
        if done == 0 {
            tracing::warn!(arenas, "the allocator keeps its own number of arenas");
        }
    }
}
