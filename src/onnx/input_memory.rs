//! Memory in which the input of runs is put together: page-locked where a GPU reads it, whose
//! driver otherwise copies it once more on the way. Knows nothing of what is in it.

use std::ops::{Deref, DerefMut};

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session as OrtSession;
use ort::value::Tensor;

use crate::config::Provider;
use crate::error::Result;
use crate::memory;
use crate::sync::Mutex;

/// Where the input of a network's runs comes to lie.
pub(crate) struct InputMemory {
    /// Of page-locked memory; one thread at a time may ask it for some. `None` where plain memory
    /// serves.
    locked: Option<Mutex<Allocator>>,
}

impl InputMemory {
    /// Plain memory on a processor; page-locked memory of `session` on the GPU `device_id`, where
    /// it gives any.
    pub(crate) fn new(session: &OrtSession, provider: Provider, device_id: i32) -> Self {
        let locked = match provider {
            Provider::Auto | Provider::Cpu => None,
            // Such memory is the processor's, whose number is 0, in some versions of ONNX Runtime.
            Provider::Cuda | Provider::TensorRt => [device_id, 0]
                .into_iter()
                .find_map(|number| allocator(session, AllocationDevice::CUDA_PINNED, number)),
        };
        Self { locked: locked.map(Mutex::new) }
    }

    /// Plain memory.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { locked: None }
    }

    /// `len` zeros.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn zeros(&self, len: usize) -> Result<Block> {
        let locked = self.locked.as_ref().and_then(|allocator| Locked::zeros(&allocator.lock(), len));
        match locked {
            Some(locked) => Ok(Block::Locked(locked)),
            None => memory::filled("windows", len, 0.0).map(Block::Plain),
        }
    }

    /// Takes out the allocator; what is asked for from then on is plain memory.
    pub(crate) fn take(&mut self) -> Self {
        Self { locked: self.locked.take() }
    }
}

/// The session's allocator for `device`, if it gives memory of that very device.
fn allocator(session: &OrtSession, device: AllocationDevice<'static>, number: i32) -> Option<Allocator> {
    let info = MemoryInfo::new(device.clone(), number, AllocatorType::Device, MemoryType::CPUInput).ok()?;
    let allocator = Allocator::new(session, info).ok()?;
    let tried = Tensor::<f32>::new(&allocator, [1_usize]).ok()?;
    (tried.memory_info().allocation_device() == device).then_some(allocator)
}

/// Numbers in memory of their own.
pub(crate) enum Block {
    /// As any.
    Plain(Vec<f32>),
    /// Page-locked.
    Locked(Locked),
}

impl Deref for Block {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Block::Plain(numbers) => numbers,
            Block::Locked(numbers) => numbers,
        }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Block::Plain(numbers) => numbers,
            Block::Locked(numbers) => numbers,
        }
    }
}

/// At least one number in page-locked memory, which processors read and write as any other.
pub(crate) struct Locked {
    memory: Tensor<f32>,
    len: usize,
}

impl Locked {
    /// `None` where there is no such memory left, or none is asked for.
    #[expect(unsafe_code, reason = "ort gives this memory as a pointer only (ADR 13)")]
    fn zeros(allocator: &Allocator, len: usize) -> Option<Self> {
        if len == 0 {
            return None;
        }
        let mut memory = Tensor::<f32>::new(allocator, [len]).ok()?;
        let first = memory.data_ptr_mut().cast::<f32>();
        if first.is_null() {
            return None;
        }
        // SAFETY: the tensor has just been made with `len` numbers in memory that the processor may
        // write.
        unsafe { first.write_bytes(0, len) };
        Some(Self { memory, len })
    }
}

impl Deref for Locked {
    type Target = [f32];

    #[expect(unsafe_code, reason = "as in `Locked::zeros`")]
    fn deref(&self) -> &[f32] {
        // SAFETY: `zeros` made `len` numbers there and wrote all of them; they are the tensor's,
        // which lives as long as this and is lent to nobody else.
        unsafe { std::slice::from_raw_parts(self.memory.data_ptr().cast(), self.len) }
    }
}

impl DerefMut for Locked {
    #[expect(unsafe_code, reason = "as in `Locked::zeros`")]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; whoever borrows this for writing is the only one.
        unsafe { std::slice::from_raw_parts_mut(self.memory.data_ptr_mut().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayView2;

    use super::*;
    use crate::call::Call;
    use crate::config::Config;
    use crate::onnx::{ModelBytes, Network, Plans, floats};

    /// A small network, and what `inspect` makes of its session.
    fn opened<T>(inspect: impl FnOnce(&OrtSession) -> T) -> (Network, T) {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/good.onnx");
        let model = ModelBytes::new(std::fs::read(file).unwrap());
        let (config, call) = (Config::default(), Call::none());
        let inspect = |session: &OrtSession, _| inspect(session);
        Network::open_session(&model, &"good.onnx", &config, Plans::None, &call, inspect).unwrap()
    }

    /// Memory of the session's own allocator on the processor, which stands for that of a GPU.
    fn lent(session: &OrtSession) -> InputMemory {
        InputMemory { locked: allocator(session, AllocationDevice::CPU, 0).map(Mutex::new) }
    }

    fn is_locked(block: &Block) -> bool {
        matches!(block, Block::Locked(_))
    }

    #[test]
    fn blocks_are_zeros_of_their_own_again_and_again() {
        let (network, memory) = opened(lent);
        for round in 0..3 {
            let mut blocks: Vec<Block> = (0..4).map(|index| memory.zeros(1000 * index).unwrap()).collect();
            for (index, block) in blocks.iter_mut().enumerate() {
                assert_eq!((block.len(), is_locked(block)), (1000 * index, index > 0), "round {round}");
                assert!(block.iter().all(|&number| number == 0.0), "round {round}");
                block.fill(index as f32);
            }
            for (index, block) in blocks.iter().enumerate() {
                assert!(block.iter().all(|&number| number == index as f32), "round {round}");
            }
        }
        let mut kept = memory.zeros(5).unwrap();
        drop((network, memory));
        kept[4] = 7.0;
        assert_eq!(kept[..], [0.0, 0.0, 0.0, 0.0, 7.0]);
    }

    #[test]
    fn threads_share_it() {
        let (_network, memory) = opened(lent);
        std::thread::scope(|scope| {
            for thread in 1..=4 {
                let memory = &memory;
                scope.spawn(move || {
                    for _ in 0..200 {
                        let mut block = memory.zeros(100 * thread).unwrap();
                        assert!(is_locked(&block) && block.iter().all(|&number| number == 0.0));
                        block.fill(thread as f32);
                        assert!(block.iter().all(|&number| number == thread as f32));
                    }
                });
            }
        });
    }

    #[test]
    fn a_network_hears_the_same_from_both() {
        let (network, memory) = opened(lent);
        let answer = |mut block: Block| {
            for (index, number) in block.iter_mut().enumerate() {
                *number = (index % 77) as f32 / 77.0;
            }
            let audio = ArrayView2::from_shape((2, 8_000), &block).unwrap();
            let input = [floats(audio).unwrap()];
            network.run(input, &Call::none(), |outputs| {
                Ok(outputs.first()?.iter().copied().collect::<Vec<f32>>())
            })
        };
        let locked = memory.zeros(16_000).unwrap();
        assert!(is_locked(&locked));
        assert_eq!(answer(locked).unwrap(), answer(Block::Plain(vec![0.0; 16_000])).unwrap());
    }

    #[test]
    fn where_there_is_no_gpu_it_is_plain() {
        for provider in [Provider::Auto, Provider::Cpu, Provider::Cuda, Provider::TensorRt] {
            let (_network, mut memory) = opened(|session| InputMemory::new(session, provider, 63));
            assert!(!is_locked(&memory.zeros(10).unwrap()), "{provider:?}");
            drop(memory.take());
            assert_eq!(memory.zeros(2).unwrap()[..], [0.0, 0.0]);
        }
    }
}
