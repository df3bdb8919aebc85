//! Sequences of calls of every function in include/voiceflow.h, with handles that live, are NULL or
//! of another type, texts, buffers and numbers of all kinds. Each call ends in a status that the
//! header knows, and keeps what the header says of handles and buffers.
#![no_main]

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use voiceflow as _;
use voiceflow_fuzz::calls::{self, FUNCTIONS, Function, Kind, Returns, STATUSES, Value};
use voiceflow_fuzz::input::Input;
use voiceflow_fuzz::source::Source;

/// Most calls of an input, most of those that load a model, and most handles at once.
const MAX_CALLS: usize = 48;
const MAX_LOADS: usize = 1;
const MAX_HANDLES: usize = 24;
/// Most channels of audio: a buffer for a stream of unknown channels has as many.
const MAX_CHANNELS: usize = 32;

thread_local! {
    /// Never dropped: its handles live as long as the process, and so are no leak.
    static HOST: &'static RefCell<Host> = Box::leak(Box::new(RefCell::new(Host::new())));
}

// The model is loaded before the time of the first input begins.
fuzz_target!(init: HOST.with(|_| ()), |data: &[u8]| {
    HOST.with(|host| host.borrow_mut().run(&mut Input::new(data)));
});

#[derive(Clone, Copy)]
struct Handle {
    kind: &'static str,
    pointer: *mut c_void,
    channels: usize,
}

/// A process that uses the library.
struct Host {
    /// Handles that live as long as the process: a model need not be loaded for each input.
    kept: Vec<Handle>,
    handles: Vec<Handle>,
    /// Names, and paths of what is read.
    texts: Vec<CString>,
    /// Paths that are written to.
    places: Vec<CString>,
    model: Vec<u8>,
    loads: usize,
}

/// What a call needs until it has returned.
#[derive(Default)]
struct Memory {
    buffers: Vec<Box<[u8]>>,
    sources: Vec<Source>,
    texts: Vec<CString>,
    slots: Vec<(usize, Box<*mut c_void>)>,
}

fn number_of(name: &str) -> i32 {
    STATUSES.iter().find(|(known, _)| *known == name).expect("a status of the header").1
}

fn function(name: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.name == name).expect("a function of the header")
}

/// Calls a function that must succeed with these values of its parameters, by name, and zero for
/// the others.
fn must(name: &str, given: &[(&str, Value)]) {
    let function = function(name);
    let value = |(parameter, _): &(&str, Kind)| given.iter().find(|(name, _)| name == parameter);
    let values: Vec<Value> = function
        .parameters
        .iter()
        .map(|parameter| value(parameter).map_or(Value::of(0), |(_, v)| *v))
        .collect();
    let status = (function.call)(&values);
    assert_eq!(status, 0, "{name}: {}", last_error());
}

fn last_error() -> String {
    let mut text = vec![0u8; 4096];
    (function("vf_last_error").call)(&[Value::to(text.as_mut_ptr()), Value::of(text.len() as u64)]);
    let end = text.iter().position(|&byte| byte == 0).expect("a text ends in a zero byte");
    String::from_utf8_lossy(&text[..end]).into_owned()
}

unsafe extern "C" fn on_log(_: *mut c_void, level: i32, target: *const c_char, message: *const c_char) {
    assert!((1..=5).contains(&level));
    // SAFETY: the header promises texts that end in a zero byte.
    unsafe { assert!(libc::strlen(target) > 0 && libc::strlen(message) < 1 << 20) };
}

/// Ends the call where the user data is a switch.
unsafe extern "C" fn on_progress(user_data: *mut c_void, _: i32, fraction: f32) {
    assert!((0.0..=1.0).contains(&fraction));
    let mut handle = std::ptr::null_mut::<c_void>();
    let status = (function("vf_options_create").call)(&[Value::to(&raw mut handle)]);
    assert!(status != 0 && handle.is_null(), "a call from inside a callback");
    if !user_data.is_null() {
        assert_eq!((function("vf_cancel_set").call)(&[Value::to(user_data.cast_const())]), 0);
    }
}

/// An element of `size` bytes, at the beginning of what this gives.
fn element(size: usize, index: usize, byte: i8) -> [u8; 32] {
    let mut bytes = [0; 32];
    match size {
        4 => bytes[..4].copy_from_slice(&(f32::from(byte) / 128.0).to_le_bytes()),
        // A vf_segment; one after another, mostly in order.
        32 => {
            let start_s = index as f64 / 4.0;
            bytes[..8].copy_from_slice(&start_s.to_le_bytes());
            bytes[8..16].copy_from_slice(&(start_s + f64::from(byte) / 64.0).to_le_bytes());
            bytes[16..20].copy_from_slice(&i32::from(byte % 4).to_le_bytes());
            bytes[20..24].copy_from_slice(&(f32::from(byte) / 100.0).to_le_bytes());
            bytes[24..28].copy_from_slice(&(byte as u32).to_le_bytes());
        }
        _ => bytes[..4].copy_from_slice(&(i32::from(byte) << 8).to_le_bytes()),
    }
    bytes
}

impl Host {
    fn new() -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
        let model = std::fs::read(data.join("models/good.onnx")).expect("the fixture");
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory").keep();
        std::env::set_current_dir(&folder).expect("a folder that was just made");
        let mut kept = Vec::new();
        let mut create = |kind, name: &str, given: &[(&'static str, Value)]| {
            let mut pointer = std::ptr::null_mut::<c_void>();
            must(name, &[given, &[("out", Value::to(&raw mut pointer))]].concat());
            kept.push(Handle { kind, pointer, channels: 1 });
            Value::to(pointer)
        };
        let options = ("options", create("vf_options", "vf_options_create", &[]));
        let (data_of, size) = (Value::to(model.as_ptr()), Value::of(model.len() as u64));
        must("vf_options_set_model_memory", &[options, ("data", data_of), ("size", size)]);
        must("vf_options_set_threads", &[options, ("threads", Value::of(1))]);
        create("vf_session", "vf_session_create", &[options]);
        let diarizer = ("diarizer", create("vf_diarizer", "vf_diarizer_create", &[options]));
        let gallery = ("gallery", create("vf_gallery", "vf_gallery_create", &[diarizer]));
        create("vf_cancel", "vf_cancel_create", &[]);
        let format = [("sample_rate", Value::of(16_000)), ("channels", Value::of(1))];
        create("vf_stream", "vf_stream_create", &[diarizer, format[0], format[1]]);
        let recording =
            CString::new(data.join("audio/original.wav").to_str().expect("UTF-8")).expect("no zero");
        let path = ("path", Value::to(recording.as_ptr()));
        create("vf_diarization", "vf_diarizer_process_file", &[diarizer, path]);
        let texts = texts(&data);
        must("vf_gallery_save", &[gallery, ("path", Value::to(c"voices.json".as_ptr()))]);
        Self { kept, handles: Vec::new(), texts, places: places(), model, loads: 0 }
    }

    fn run(&mut self, input: &mut Input<'_>) {
        self.loads = 0;
        for _ in 0..MAX_CALLS {
            if input.is_empty() {
                break;
            }
            self.call(&FUNCTIONS[input.below(FUNCTIONS.len())], input);
        }
        for handle in std::mem::take(&mut self.handles) {
            (function(&format!("{}_destroy", handle.kind)).call)(&[Value::to(handle.pointer)]);
        }
    }

    fn call(&mut self, function: &Function, input: &mut Input<'_>) {
        let new = function.parameters.iter().any(|(_, kind)| matches!(kind, Kind::NewHandle(_)));
        if new && self.handles.len() >= MAX_HANDLES {
            return;
        }
        if matches!(function.name, "vf_session_create" | "vf_diarizer_create")
            || function.name.ends_with("_reload")
        {
            self.loads += 1;
            if self.loads > MAX_LOADS {
                return;
            }
        }
        let mut memory = Memory::default();
        let values = self.arguments(function, input, &mut memory);
        let status = (function.call)(&values);
        self.check(function, status, &values, memory);
    }

    fn arguments(&mut self, function: &Function, input: &mut Input<'_>, memory: &mut Memory) -> Vec<Value> {
        // One call in eight has pointers that are NULL or not aligned, or a size that lies; but a
        // handle that was taken to be destroyed is the only way to it.
        let faults = input.u8() < 32 && !function.name.ends_with("_destroy");
        let mut values: Vec<Value> = function
            .parameters
            .iter()
            .map(|(name, kind)| match kind {
                Kind::Number(number) => Value::of(calls::number(name, *number, input)),
                _ => Value::default(),
            })
            .collect();
        let mut channels = MAX_CHANNELS;
        for (at, (name, kind)) in function.parameters.iter().enumerate() {
            let value = match *kind {
                Kind::Number(_) => continue,
                Kind::Handle(kind) => {
                    let handle = self.handle(function, kind, faults, input);
                    channels = handle.channels;
                    Value::to(handle.pointer)
                }
                Kind::NewHandle(_) => {
                    memory.slots.push((at, Box::new(std::ptr::dangling_mut())));
                    Value::to(&raw const *memory.slots[memory.slots.len() - 1].1)
                }
                Kind::Text => self.text(function, input, memory),
                Kind::In(1) if *name == "data" && input.u8() < 192 => {
                    values[at + 1] = Value::of(self.model.len() as u64);
                    memory.buffer(self.model.clone())
                }
                Kind::In(0) if *name == "source" => {
                    let (source, bytes) = Source::new(input);
                    memory.sources.push(source);
                    memory.buffer(bytes)
                }
                Kind::In(0) => self.call_options(faults, input, memory),
                Kind::In(size) => {
                    self.samples(function, at, size, channels, faults, &mut values, input, memory)
                }
                Kind::Out(0) => {
                    let size = input.choose(&[8usize, 16, 44, 48, 56, 64, 128]);
                    let mut bytes = vec![0; size];
                    bytes[..8].copy_from_slice(&size.to_le_bytes());
                    memory.buffer(bytes)
                }
                Kind::Out(size) => {
                    let count = function.capacity(at).map_or(1, |capacity| values[capacity].usize());
                    memory.buffer(vec![0xa5; size * count])
                }
                Kind::UserData => Value::of(u64::from(input.u8() < 24)),
                Kind::Callback(_) if input.u8() < 128 => Value::default(),
                Kind::Callback(_) => Value::callback(on_log),
            };
            let pointer = !matches!(kind, Kind::Callback(_) | Kind::UserData);
            values[at] = match input_fault(faults && pointer, input) {
                Fault::None => value,
                Fault::Null => Value::of(0),
            };
        }
        values
    }

    /// Mostly a handle of the type, else one of another type or none.
    fn handle(
        &mut self,
        function: &Function,
        kind: &'static str,
        faults: bool,
        input: &mut Input<'_>,
    ) -> Handle {
        let none = Handle { kind, pointer: std::ptr::null_mut(), channels: MAX_CHANNELS };
        if function.name.ends_with("_destroy") {
            // What is kept is not destroyed.
            let place = self.handles.iter().rposition(|handle| handle.kind == kind);
            return place.map_or(none, |place| self.handles.remove(place));
        }
        let all = || self.kept.iter().chain(&self.handles).copied();
        let fitting: Vec<Handle> = if faults && input.u8() < 64 {
            all().collect()
        } else {
            all().filter(|h| h.kind == kind).collect()
        };
        let empty = kind == "vf_options" && input.u8() < 16;
        if fitting.is_empty() || empty { none } else { fitting[input.below(fitting.len())] }
    }

    fn text(&self, function: &Function, input: &mut Input<'_>, memory: &mut Memory) -> Value {
        // What inputs write is never what later ones read as a model or audio.
        let writes = matches!(function.name, "vf_gallery_save" | "vf_options_set_cache_folder");
        let known = if writes { &self.places } else { &self.texts };
        if input.u8() < 192 {
            return Value::to(known[input.below(known.len())].as_ptr());
        }
        let length = input.below(48);
        // A path out of random bytes stays in the folder of this process.
        let bytes = input.bytes(length).iter().filter(|byte| !matches!(byte, 0 | b'/')).copied();
        memory.texts.push(CString::new(bytes.collect::<Vec<u8>>()).expect("without a zero byte"));
        Value::to(memory.texts[memory.texts.len() - 1].as_ptr())
    }

    /// The conditions of a call: whole, cut off, or longer than the library knows.
    fn call_options(&self, faults: bool, input: &mut Input<'_>, memory: &mut Memory) -> Value {
        if input.u8() < 128 {
            return Value::of(0);
        }
        let all = self.kept.iter().chain(&self.handles);
        let cancels: Vec<&Handle> = all.filter(|handle| faults || handle.kind == "vf_cancel").collect();
        let cancel = cancels[input.below(cancels.len())].pointer as usize;
        let mut handles = self.kept.iter().chain(&self.handles);
        let switch = handles.find(|handle| handle.kind == "vf_cancel").map_or(0, |h| h.pointer as usize);
        let size = input.choose(&[88usize, 88, 88, 8, 16, 24, 40, 72, 128]);
        let number = |input: &mut Input<'_>| input.choose(&[0usize, 0, 1, 2, 5, 101, 1_000, usize::MAX]);
        let words = [
            size,
            input.choose(&[0, cancel]),
            input.choose(&[0, on_progress as *const () as usize]),
            input.choose(&[0, switch]),
            input.choose(&[0usize, 0, 1, 2, 4, 8, 12, 16, 31, 32, 64, 128, 256, 512, usize::MAX]),
            number(input),
            number(input),
            number(input),
            number(input),
            number(input),
            number(input),
        ];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(size, 0);
        memory.buffer(bytes)
    }

    /// Elements that a call reads: as many as its numbers say.
    #[expect(clippy::too_many_arguments, reason = "the state of one call")]
    fn samples(
        &self,
        function: &Function,
        at: usize,
        size: usize,
        channels: usize,
        faults: bool,
        values: &mut [Value],
        input: &mut Input<'_>,
        memory: &mut Memory,
    ) -> Value {
        let lengths = function.lengths(at);
        if faults && size > 1 && input.u8() < 64 {
            values[lengths[0]] = Value::of(calls::too_many(input));
            return memory.buffer(vec![0; size]);
        }
        let mut count: usize = lengths.iter().map(|&place| values[place].usize().min(1 << 16)).product();
        if function.name.starts_with("vf_stream_push") {
            count *= channels;
        }
        let count = count.min(1 << 21);
        let seed = input.bytes(16);
        let bytes = (0..count).flat_map(|index| {
            let byte = seed.get(index % 16).copied().unwrap_or_default() as i8;
            element(size, index, byte).into_iter().take(size)
        });
        memory.buffer(bytes.collect())
    }

    /// What the header says of every call.
    fn check(&mut self, function: &Function, status: i32, values: &[Value], memory: Memory) {
        let name = function.name;
        if function.returns == Returns::Status {
            assert!(STATUSES.iter().any(|(_, known)| *known == status), "{name}: {status} is no status");
            let text = last_error();
            assert!(status != number_of("VF_E_PANIC"), "{name}: a fault inside: {text}");
            assert!(status != number_of("VF_E_POISONED"), "{name}: {text}");
            assert_eq!(status == 0, text.is_empty(), "{name}: {status} with the text {text:?}");
        }
        for (at, slot) in memory.slots {
            let (_, Kind::NewHandle(kind)) = function.parameters[at] else {
                unreachable!("a place of a handle")
            };
            if values[at].u64() == 0 {
                continue;
            }
            assert_eq!(status == 0, !slot.is_null(), "{name}: {status} with the handle {:?}", *slot);
            if status == 0 {
                let channels = function.parameters.iter().position(|(name, _)| *name == "channels");
                let channels = channels.map_or(1, |place| values[place].usize());
                self.handles.push(Handle { kind, pointer: *slot, channels });
            }
        }
        let sizes: Vec<(usize, usize)> =
            (0..values.len()).filter_map(|at| written(function, at, values)).collect();
        if status == 0 {
            assert!(sizes.iter().all(|(n, cap)| n <= cap), "{name}: counts and room: {sizes:?}");
        } else if status == number_of("VF_E_BUFFER_TOO_SMALL") && !sizes.is_empty() {
            assert!(sizes.iter().any(|(n, cap)| n > cap), "{name}: too small: counts and room: {sizes:?}");
        }
    }
}

/// Of the buffer at `at` the count that the call gave and the room that it had.
fn written(function: &Function, at: usize, values: &[Value]) -> Option<(usize, usize)> {
    let (_, Kind::Out(_)) = function.parameters[at] else { return None };
    let capacity = function.capacity(at)?;
    let count = values[function.count(capacity)?].pointer().cast::<usize>();
    let given = !count.is_null() && values[at].u64() != 0;
    // SAFETY: it leads to a buffer of this call's memory, of one usize.
    given.then(|| (unsafe { count.read_unaligned() }, values[capacity].usize()))
}

enum Fault {
    None,
    Null,
}

fn input_fault(faults: bool, input: &mut Input<'_>) -> Fault {
    if faults && input.u8() < 48 { Fault::Null } else { Fault::None }
}

impl Memory {
    fn buffer(&mut self, bytes: Vec<u8>) -> Value {
        self.buffers.push(bytes.into_boxed_slice());
        Value::to(self.buffers[self.buffers.len() - 1].as_ptr())
    }
}

/// Names, and paths of files in this process's folder, that mean something.
fn texts(data: &Path) -> Vec<CString> {
    let files = [
        "models/good.onnx",
        "models/wrong_rank.onnx",
        "models/nan.onnx",
        "families/segmentation.onnx",
        "families/wespeaker_resnet34.onnx",
        "audio/s24_16k.wav",
        "audio/16k_id3.mp3",
        "audio/44k.m4a",
        "audio/picture.png",
    ];
    let copied = files.map(|file| {
        let name = file.rsplit('/').next().expect("a name");
        std::fs::copy(data.join(file), name).expect("a copy of a fixture");
        name.to_owned()
    });
    std::fs::create_dir("folder").expect("a new folder");
    std::os::unix::fs::symlink("voices.json", "link").expect("a new link");
    std::fs::write("broken.json", "{").expect("a new file");
    let names = [
        "",
        "ada",
        "grace",
        "two lines\nand a tab\t",
        "\u{10ffff}",
        "voices.json",
        "broken.json",
        "link",
        "folder",
    ];
    let long = ["x".repeat(255), "x".repeat(300), "x".repeat(70_000)];
    let all = copied.into_iter().chain(names.map(str::to_owned)).chain(long);
    all.map(|text| CString::new(text).expect("without a zero byte")).collect()
}

/// Paths for what is written.
fn places() -> Vec<CString> {
    let places =
        ["voices.json", "link", "", "folder", "folder/new.json", "none/new.json", "/proc/self/new.json"];
    places.map(|place| CString::new(place).expect("without a zero byte")).into()
}
