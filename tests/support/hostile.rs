//! Audio files that ask for much more work than their bytes are worth, made in code.

/// A box of an MP4 file.
pub fn boxed(code: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], code, content].concat()
}

/// Big-endian 32-bit numbers.
fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Samples per second of the tracks.
const RATE: u32 = 16_000;

/// A track of 16-bit PCM of which the sample tables are these.
fn track(id: u32, tables: &[Vec<u8>]) -> Vec<u8> {
    let sound = [&[0; 6][..], &[0, 1], &[0; 8], &[0, 1, 0, 16, 0, 0, 0, 0], &words(&[RATE << 16])].concat();
    track_of(id, &boxed(b"sowt", &sound), tables)
}

/// A track of which the sample entry and the sample tables are these.
fn track_of(id: u32, entry: &[u8], tables: &[Vec<u8>]) -> Vec<u8> {
    let header = boxed(b"tkhd", &[words(&[3, 0, 0, id, 0, 0]), vec![0; 60]].concat());
    let media = boxed(b"mdhd", &words(&[0, 0, 0, RATE, 0, 0]));
    let handler = boxed(b"hdlr", &[&words(&[0, 0])[..], b"soun", &[0; 13]].concat());
    let description = boxed(b"stsd", &[&words(&[0, 1]), entry].concat());
    let samples = boxed(b"stbl", &[description, tables.concat()].concat());
    let information = boxed(b"minf", &[boxed(b"smhd", &[0; 8]), samples].concat());
    boxed(b"trak", &[header, boxed(b"mdia", &[media, handler, information].concat())].concat())
}

/// Sample tables: how long the samples are, one chunk of them at `offset`, and how many.
fn tables(times: &[u32], samples: u32, offset: u32) -> Vec<Vec<u8>> {
    let chunks = u32::from(samples > 0);
    let chunk = if samples > 0 { vec![1, samples, 1] } else { Vec::new() };
    let place = if samples > 0 { vec![offset] } else { Vec::new() };
    vec![
        boxed(b"stts", &words(&[&[0, times.len() as u32 / 2], times].concat())),
        boxed(b"stsc", &words(&[&[0, chunks][..], &chunk].concat())),
        boxed(b"stsz", &words(&[0, 2, samples])),
        boxed(b"stco", &words(&[&[0, chunks][..], &place].concat())),
    ]
}

fn movie(content: &[u8]) -> Vec<u8> {
    let header = boxed(b"mvhd", &[words(&[0, 0, 0, RATE, 0]), vec![0; 80]].concat());
    [boxed(b"ftyp", b"M4A \0\0\0\0"), boxed(b"moov", &[&header, content].concat())].concat()
}

/// A QuickTime file of PCM with eight channels of 64-bit numbers, a hundred frames long, whose
/// packets have `frames` frames as it says.
pub fn quicktime_packets(frames: u32) -> Vec<u8> {
    let old =
        [&[0; 6][..], &[0, 1, 0, 2], &[0; 6], &[0, 3, 0, 16, 0xff, 0xfe, 0, 0], &words(&[1 << 16])].concat();
    let rate = f64::from(RATE).to_be_bytes();
    let new = words(&[8, 0x7f00_0000, 64, 0x9, 64, frames]);
    let entry = boxed(b"lpcm", &[&old[..], &words(&[72]), &rate, &new].concat());
    let tables = |offset| {
        let mut tables = tables(&[100, 1], 100, offset);
        tables[2] = boxed(b"stsz", &words(&[0, 64, 100]));
        tables
    };
    let size = movie(&track_of(1, &entry, &tables(0))).len() as u32;
    let file = movie(&track_of(1, &entry, &tables(size + 8)));
    [file, boxed(b"mdat", &[0; 6400])].concat()
}

/// A file of PCM whose table of times has an entry for each of its frames.
pub fn long_tables(samples: usize) -> Vec<u8> {
    let times = [1, 1].repeat(samples);
    let size = movie(&track(1, &tables(&times, samples as u32, 0))).len();
    let mut file = movie(&track(1, &tables(&times, samples as u32, size as u32 + 8)));
    file.extend(boxed(b"mdat", &vec![1; 2 * samples]));
    file
}

/// What a fragmented file of `tracks` tracks begins with. A sample is one frame of two bytes.
pub fn fragmented_header(tracks: u32) -> Vec<u8> {
    let all: Vec<u8> = (1..=tracks).flat_map(|id| track(id, &tables(&[], 0, 0))).collect();
    let each = |id| boxed(b"trex", &words(&[0, id, 1, 1, 2, 0]));
    let extensions: Vec<u8> = (1..=tracks).flat_map(each).collect();
    movie(&[all, boxed(b"mvex", &extensions)].concat())
}

/// A run of `count` samples, which are as large as the track says or as these sizes say.
pub fn run(count: u32, sizes: Option<&[u32]>) -> Vec<u8> {
    let flags = if sizes.is_some() { 0x201 } else { 0x001 };
    boxed(b"trun", &words(&[&[flags, count, 0], sizes.unwrap_or_default()].concat()))
}

/// A fragment with runs of a track, all of which begin where the data does.
pub fn fragment(track: u32, runs: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    let sizes: usize = runs.iter().map(Vec::len).sum();
    // The headers of the fragment, of its track and of the data are around them.
    let offset = u32::try_from(sizes + 8 + 16 + 8 + 16 + 8).unwrap();
    let mut content = boxed(b"tfhd", &words(&[0, track]));
    for run in runs {
        let at = content.len() + 16;
        content.extend(run);
        content[at..at + 4].copy_from_slice(&offset.to_be_bytes());
    }
    let header = boxed(b"mfhd", &words(&[0, 1]));
    let fragment = boxed(b"moof", &[header, boxed(b"traf", &content)].concat());
    [fragment, boxed(b"mdat", data)].concat()
}

/// A WAV file with `chunks` empty chunks and no audio.
fn wav(chunks: usize) -> Vec<u8> {
    let format = [&b"fmt \x10\0\0\0\x01\0\x01\0"[..], &RATE.to_le_bytes(), &[0, 125, 0, 0, 2, 0, 16, 0]];
    let size = u32::try_from(4 + 24 + 8 * chunks).unwrap();
    let head = [&b"RIFF"[..], &size.to_le_bytes(), b"WAVE", &format.concat()].concat();
    [head, b"junk\0\0\0\0".repeat(chunks)].concat()
}

/// A FLAC file with a seek table in descending order and no audio.
fn flac_seek_table() -> Vec<u8> {
    let entries = 930_000_u64;
    let mut file = b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x03\xe8\0\xf0\0\0\0\0".to_vec();
    file.resize(4 + 4 + 34, 0);
    file.push(0x83);
    file.extend(&(entries as u32 * 18).to_be_bytes()[1..]);
    for entry in (0..entries).rev() {
        file.extend((entry * 4096).to_be_bytes());
        file.extend((entry * 1000).to_be_bytes());
        file.extend(4096_u16.to_be_bytes());
    }
    file.resize(file.len() + 100_000, 0);
    file
}

/// Bits of a Vorbis packet, the lowest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, count: u32) -> &mut Self {
        self.0.extend((0..count).map(|place| value >> place & 1 == 1));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        self.0.chunks(8).map(byte).collect()
    }
}

/// A page of an Ogg file with one packet of at most 65,024 bytes.
fn ogg_page(sequence: u32, packet: &[u8]) -> Vec<u8> {
    let mut lacing = vec![255; packet.len() / 255];
    lacing.push((packet.len() % 255) as u8);
    let first = if sequence == 0 { 2 } else { 0 };
    let head = [&b"OggS\0"[..], &[first], &[0; 8], &7_u32.to_le_bytes(), &sequence.to_le_bytes(), &[0; 4]];
    let mut page = [&head.concat()[..], &[lacing.len() as u8], &lacing, packet].concat();
    let shift = |sum: u32, _| if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
    let sum = page.iter().fold(0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte) << 24, shift));
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

/// An Ogg Vorbis file of a few kilobytes whose 256 codebooks have `entries` entries of 16 values.
pub fn vorbis_codebooks(entries: u32) -> Vec<u8> {
    let rates = [&RATE.to_le_bytes()[..], &[0; 12]].concat();
    let identification = [&b"\x01vorbis\0\0\0\0\x01"[..], &rates, &[0xb8, 1]].concat();
    let comment = [&b"\x03vorbis"[..], &[0; 8], &[1]].concat();
    let mut setup = Bits::default();
    setup.put(255, 8);
    for _ in 0..256 {
        setup.put(0x56_43_42, 24).put(16, 16).put(entries, 24);
        // All entries have one length; the vectors are made of one value, or of two.
        setup.put(1, 1).put(entries.ilog2() - 1, 5).put(entries, entries.ilog2() + 1);
        setup
            .put(1, 4)
            .put(0, 32)
            .put(0, 32)
            .put(0, 4)
            .put(0, 1)
            .put(0, if entries < 1 << 16 { 1 } else { 2 });
    }
    let setup = [&b"\x05vorbis"[..], &setup.bytes()].concat();
    let packets = [identification, comment, setup, vec![0; 100]];
    packets.iter().zip(0..).flat_map(|(packet, sequence)| ogg_page(sequence, packet)).collect()
}

/// One of the recordings that the tests come with.
fn recording(name: &str) -> Vec<u8> {
    std::fs::read(super::root().join("tests/data/audio").join(name)).unwrap()
}

/// The files by what they are.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let mut counting = fragmented_header(1);
    (0..200).for_each(|_| counting.extend(fragment(1, &[run(1 << 24, None)], &[])));
    counting.extend(boxed(b"mdat", &vec![0; 20 << 20]));
    let mut empty_fragments = fragmented_header(1);
    let empty = [boxed(b"moof", &boxed(b"mfhd", &words(&[0, 1]))), boxed(b"mdat", &[])].concat();
    empty_fragments.extend(empty.repeat(200_000));
    let mut empty_runs = fragmented_header(1);
    let all = [vec![run(0, None); 400_000], vec![run(1000, None)]].concat();
    empty_runs.extend(fragment(1, &all, &[1; 2000]));
    let page = [&b"OggS"[..], &[0; 22], &[255], &[255; 5]].concat();
    let (mpeg, adts) = (b"\xff\xfb\x90\x64\0", b"\xff\xf1\x50\x80\x03\xff\xfc");
    let flac = b"\xff\xf8\x69\x08\0";
    vec![
        ("MP4, runs that count", counting),
        ("MP4, fragments without samples", empty_fragments),
        ("MP4, runs without samples", empty_runs),
        ("MP4, long tables", long_tables(500_000)),
        ("WAV, chunks", wav(2_000_000)),
        ("FLAC, seek table", flac_seek_table()),
        ("Ogg, pages that are none", [recording("chained.ogg"), page.repeat(400_000)].concat()),
        ("MP3, frames that are none", [recording("44k_stereo.mp3"), mpeg.repeat(3_000_000)].concat()),
        ("ADTS, frames that are none", [recording("48k.aac"), adts.repeat(3_000_000)].concat()),
        ("FLAC, frames that are none", [recording("16k.flac"), flac.repeat(3_000_000)].concat()),
        ("Vorbis, codebooks", vorbis_codebooks(1 << 17)),
        ("WAV, silence", [recording("original.wav"), vec![0; 30 << 20]].concat()),
    ]
}
