//! A run in the steady state allocates nothing of ours. What is counted is the calling thread; ONNX
//! Runtime's own memory does not come from Rust's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use voiceflow::Call;
use voiceflow::model::Inference;

use crate::support::{noise, session};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the promises that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `ort` allocates in a run: the handle of the input; for each output a handle and that of its
/// allocator.
const BINDING: usize = 5;

#[test]
fn a_steady_run_allocates_only_the_handles_of_the_binding() {
    let session = session("good.onnx");
    let audio = noise(4, 16_000, 1);
    let mut out = Inference::default();
    for deadline in [None, Some(Duration::from_secs(600))] {
        let mut counts = Vec::new();
        for _ in 0..5 {
            let before = ALLOCATIONS.get();
            let call = Call::none().with_deadline(deadline);
            session.infer(audio.view(), &mut out, &call).unwrap();
            counts.push(ALLOCATIONS.get() - before);
        }
        assert!(counts[1..].iter().all(|count| *count == BINDING), "{counts:?}");
    }
}
