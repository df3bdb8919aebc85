//! Mutations of a format's tree of elements, and of numbers in them.

/// SplitMix64, seeded by libFuzzer.
pub struct Random(u64);

impl Random {
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed))
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound.max(1) as u64) as usize
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// An element of a file: a box, a chunk, a field of a message.
#[derive(Clone)]
pub struct Element<K> {
    /// What names and types it.
    pub kind: K,
    pub content: Content<K>,
}

#[derive(Clone)]
pub enum Content<K> {
    Bytes(Vec<u8>),
    /// Bytes that stand before the elements, and the elements.
    Elements(Vec<u8>, Vec<Element<K>>),
}

/// Numbers at which readers go wrong.
pub const EXTREMES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Changes one element somewhere in `elements`: repeats, removes, moves or renames it, gives it
/// another's content, or changes a number in it. `kinds` are the names of the format.
pub fn mutate<K: Clone>(elements: &mut Vec<Element<K>>, kinds: &[K], random: &mut Random) {
    if elements.is_empty() {
        return;
    }
    let at = random.below(elements.len());
    if let Content::Elements(head, inner) = &mut elements[at].content
        && !inner.is_empty()
        && !random.once_in(4)
    {
        if !head.is_empty() && random.once_in(8) {
            mutate_number(head, random);
        } else {
            mutate(inner, kinds, random);
        }
        return;
    }
    match random.below(10) {
        0 => {
            let copy = elements[at].clone();
            let times = if random.once_in(8) { 64 } else { 1 };
            elements.splice(at..at, std::iter::repeat_n(copy, times));
        }
        1 => drop(elements.remove(at)),
        2 => {
            let other = random.below(elements.len());
            elements.swap(at, other);
        }
        3 if !kinds.is_empty() => elements[at].kind = kinds[random.below(kinds.len())].clone(),
        4 => elements[at].content = elements[random.below(elements.len())].content.clone(),
        _ => match &mut elements[at].content {
            Content::Bytes(bytes) => mutate_number(bytes, random),
            Content::Elements(head, _) => mutate_number(head, random),
        },
    }
}

/// Puts another number of 1 to 8 bytes, of either order, somewhere into `bytes`; mostly near the
/// start, where headers are.
pub fn mutate_number(bytes: &mut Vec<u8>, random: &mut Random) {
    if random.once_in(12) {
        let length = random.below(bytes.len() + 1);
        bytes.truncate(length);
        return;
    }
    let size = 1 << random.below(4);
    if bytes.len() < size {
        bytes.resize(size, 0);
    }
    let reach = if random.once_in(3) { bytes.len() } else { bytes.len().min(64) };
    let at = random.below(reach).min(bytes.len() - size);
    let place = &mut bytes[at..at + size];
    let mut old = [0; 8];
    old[..size].copy_from_slice(place);
    let old = u64::from_le_bytes(old);
    let new = match random.below(4) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => random.number(),
        _ => EXTREMES[random.below(EXTREMES.len())],
    };
    let mut new = new.to_le_bytes();
    if random.once_in(2) {
        new[..size].reverse();
    }
    place.copy_from_slice(&new[..size]);
}

/// Puts `bytes` into libFuzzer's buffer and gives the size of the input; `None` where they do not
/// fit.
pub fn store(bytes: &[u8], data: &mut [u8], max_size: usize) -> Option<usize> {
    let fits = bytes.len() <= max_size.min(data.len());
    fits.then(|| {
        data[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    })
}
