//! The reference that each face is measured against: the same model run by ONNX Runtime's C
//! functions, with its own session options but for one thread, tensors made once, and outputs in
//! memory that is there already. A face's program calls `reference_next`, which runs the network
//! and measures that, and then its own infer, by turns. Faults end the program.

#![allow(clippy::missing_safety_doc, reason = "documented in reference.h")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::Instant;

use ort_sys::{
    GraphOptimizationLevel, ONNXTensorElementDataType, OrtAllocatorType, OrtApi, OrtApiBase, OrtLoggingLevel,
    OrtMemType, OrtSession, OrtStatusPtr, OrtValue,
};

/// 3 s at 16 kHz.
const SAMPLES: usize = 48_000;
/// Calls before those that are measured.
const WARM_UP: usize = 50;

const INPUTS: [&CStr; 1] = [c"audio"];
const OUTPUTS: [&CStr; 2] = [c"activity", c"embedding"];

struct Reference {
    api: &'static OrtApi,
    session: *mut OrtSession,
    input: *const OrtValue,
    outputs: [*mut OrtValue; 2],
    audio: &'static [f32],
    rounds: usize,
    done: usize,
    raw: Vec<u64>,
    face: Vec<u64>,
    raw_allocations: u64,
    face_allocations: u64,
    own_allocations: Option<f64>,
    allocations: Option<unsafe extern "C" fn() -> u64>,
    counted: u64,
}

// SAFETY: ONNX Runtime's sessions and values may be used on any thread; the mutex keeps it to one.
unsafe impl Send for Reference {}

static REFERENCE: Mutex<Option<Reference>> = Mutex::new(None);

fn with<T>(work: impl FnOnce(&mut Reference) -> T) -> T {
    work(REFERENCE.lock().unwrap().as_mut().expect("reference_open comes first"))
}

/// Ends the program where ONNX Runtime says that it failed.
fn check(api: &OrtApi, what: &str, status: OrtStatusPtr) {
    if !status.0.is_null() {
        // SAFETY: a status of this library.
        let text = unsafe { CStr::from_ptr((api.GetErrorMessage)(status.0)) };
        eprintln!("reference: {what}: {}", text.to_string_lossy());
        std::process::exit(1);
    }
}

/// Noise in bursts, the same in every program.
fn noise() -> Vec<f32> {
    let mut state = 12_345_u32;
    let mut next = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let loudness = if (i / 12_000) % 3 == 2 { 0.0 } else { 0.3 };
        loudness * ((state >> 8) as f32 / 16_777_216.0 - 0.5)
    };
    (0..SAMPLES).map(&mut next).collect()
}

impl Reference {
    /// # Safety
    /// The texts are valid.
    unsafe fn open(runtime: &CStr, model: &CStr, rounds: usize) -> Self {
        let library = unsafe { libloading::Library::new(runtime.to_str().unwrap()) };
        let library = Box::leak(Box::new(library.unwrap_or_else(|error| {
            eprintln!("reference: {}: {error}", runtime.to_string_lossy());
            std::process::exit(1);
        })));
        unsafe {
            let base: libloading::Symbol<unsafe extern "system" fn() -> *const OrtApiBase> =
                library.get(b"OrtGetApiBase\0").expect("every ONNX Runtime has it");
            let api = &*((*base()).GetApi)(18);
            let (mut env, mut options, mut memory) = (null_mut(), null_mut(), null_mut());
            let warning = OrtLoggingLevel::ORT_LOGGING_LEVEL_WARNING;
            check(api, "env", (api.CreateEnv)(warning, c"reference".as_ptr(), &mut env));
            check(api, "options", (api.CreateSessionOptions)(&mut options));
            check(api, "threads", (api.SetIntraOpNumThreads)(options, 1));
            check(api, "threads", (api.SetInterOpNumThreads)(options, 1));
            let all = GraphOptimizationLevel::ORT_ENABLE_ALL;
            check(api, "optimization", (api.SetSessionGraphOptimizationLevel)(options, all));
            let mut session = null_mut();
            check(api, "session", (api.CreateSession)(env, model.as_ptr(), options, &mut session));
            let (kind, place) = (OrtAllocatorType::OrtArenaAllocator, OrtMemType::OrtMemTypeDefault);
            check(api, "memory", (api.CreateCpuMemoryInfo)(kind, place, &mut memory));
            let audio: &'static mut [f32] = Vec::leak(noise());
            let mut input = null_mut();
            check(
                api,
                "input",
                (api.CreateTensorWithDataAsOrtValue)(
                    memory,
                    audio.as_mut_ptr().cast(),
                    size_of_val(audio),
                    [1_i64, SAMPLES as i64].as_ptr(),
                    2,
                    ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                    &mut input,
                ),
            );
            let mut reference = Self {
                api,
                session,
                input,
                // The first run makes them; all others write to the same memory.
                outputs: [null_mut(); 2],
                audio,
                rounds,
                done: 0,
                raw: Vec::with_capacity(rounds),
                face: Vec::with_capacity(rounds),
                raw_allocations: 0,
                face_allocations: 0,
                own_allocations: None,
                allocations: allocation_counter(),
                counted: 0,
            };
            reference.run();
            reference
        }
    }

    fn run(&mut self) -> u64 {
        let inputs = INPUTS.map(CStr::as_ptr);
        let outputs = OUTPUTS.map(CStr::as_ptr);
        let start = Instant::now();
        // SAFETY: the session and the values live as long as the program.
        let status = unsafe {
            (self.api.Run)(
                self.session,
                null(),
                inputs.as_ptr(),
                &self.input,
                1,
                outputs.as_ptr(),
                2,
                self.outputs.as_mut_ptr(),
            )
        };
        let elapsed = start.elapsed();
        check(self.api, "run", status);
        elapsed.as_nanos() as u64
    }

    fn count(&self) -> u64 {
        // SAFETY: a function without conditions.
        self.allocations.map_or(0, |allocations| unsafe { allocations() })
    }

    fn is_measured(&self) -> bool {
        self.done >= WARM_UP
    }

    fn next(&mut self) -> bool {
        if self.done == self.rounds + WARM_UP {
            return false;
        }
        let before = self.count();
        let elapsed = self.run();
        self.counted = self.count();
        if self.is_measured() {
            self.raw.push(elapsed);
            self.raw_allocations += self.counted - before;
        }
        true
    }

    fn record(&mut self, nanoseconds: u64) {
        let counted = self.count();
        if self.is_measured() {
            self.face.push(nanoseconds);
            self.face_allocations += counted - self.counted;
        }
        self.done += 1;
    }

    fn report(&self) {
        let numbers = |values: &[u64]| values.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let per_call = |count: u64| match self.allocations {
            Some(_) => (count as f64 / self.rounds as f64).to_string(),
            None => "null".to_owned(),
        };
        let own = self.own_allocations.map_or("null".to_owned(), |own| own.to_string());
        println!(
            "{{\"raw_ns\":[{}],\"face_ns\":[{}],\"raw_allocations\":{},\"face_allocations\":{},\"own_allocations\":{own}}}",
            numbers(&self.raw),
            numbers(&self.face),
            per_call(self.raw_allocations),
            per_call(self.face_allocations),
        );
    }
}

/// The counter of count_allocations.c where that is preloaded.
fn allocation_counter() -> Option<unsafe extern "C" fn() -> u64> {
    let this = libloading::os::unix::Library::this();
    // SAFETY: the function has this type.
    let counter = unsafe { this.get::<unsafe extern "C" fn() -> u64>(b"allocations_made\0") };
    counter.ok().map(|counter| *counter)
}

/// See reference.h.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reference_open(runtime: *const c_char, model: *const c_char, rounds: usize) {
    // SAFETY: texts, by contract.
    let reference = unsafe { Reference::open(CStr::from_ptr(runtime), CStr::from_ptr(model), rounds) };
    *REFERENCE.lock().unwrap() = Some(reference);
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_audio() -> *const f32 {
    with(|reference| reference.audio.as_ptr())
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_samples() -> usize {
    SAMPLES
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_next() -> c_int {
    with(Reference::next).into()
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_record(nanoseconds: u64) {
    with(|reference| reference.record(nanoseconds));
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_own_allocations(allocations: f64) {
    with(|reference| reference.own_allocations = Some(allocations));
}

/// See reference.h.
#[unsafe(no_mangle)]
pub extern "C" fn reference_report() {
    with(|reference| reference.report());
}
