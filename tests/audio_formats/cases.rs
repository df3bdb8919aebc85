//! The table of docs/AUDIO.md: containers, what they hold, and how ffmpeg makes it.

/// What is expected of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// It is read as ffmpeg reads it, to a correlation of so much.
    Read(f64),
    /// It is refused by this name.
    Refused(&'static str),
}

/// A container with a codec.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Ending of the file's name.
    pub ending: &'static str,
    /// Arguments of ffmpeg for the output.
    pub arguments: &'static [&'static str],
    /// Rates in Hz that the codec takes.
    pub rates: &'static [u32],
    pub channels: &'static [u32],
    pub expected: Expected,
}

const ANY: &[u32] = &[8_000, 16_000, 44_100, 48_000];
const OPUS: &[u32] = &[8_000, 16_000, 48_000];
const MPEG: &[u32] = &[16_000, 24_000, 44_100, 48_000];
/// ffmpeg takes 384 kbit/s by itself, which is refused: the standard has at most 192 for one
/// channel.
const MP2: &[&str] = &["-c:a", "mp2", "-b:a", "160k"];
const MONO: &[u32] = &[1];
const BOTH: &[u32] = &[1, 2];
/// Decoders that give the same samples, and those that differ by their arithmetic.
const SAME: Expected = Expected::Read(0.9999);
const NEAR: Expected = Expected::Read(0.99);

const fn read(
    ending: &'static str,
    arguments: &'static [&'static str],
    rates: &'static [u32],
    channels: &'static [u32],
    expected: Expected,
) -> Case {
    Case { ending, arguments, rates, channels, expected }
}

const fn refused(ending: &'static str, arguments: &'static [&'static str], name: &'static str) -> Case {
    Case { ending, arguments, rates: &[48_000], channels: MONO, expected: Expected::Refused(name) }
}

/// Every container with every codec.
pub const CASES: &[Case] = &[
    read("wav", &["-c:a", "pcm_u8"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_s24le"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_s32le"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_f32le"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_f64le"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_alaw"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "pcm_mulaw"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "adpcm_ms"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "adpcm_ima_wav"], ANY, BOTH, SAME),
    read("wav", &["-c:a", "gsm_ms"], &[8_000], MONO, SAME),
    read("wav", &["-c:a", "g722"], &[16_000], MONO, SAME),
    read("wav", &["-c:a", "libmp3lame"], MPEG, BOTH, SAME),
    read("wav", MP2, MPEG, BOTH, SAME),
    read("wav", &["-rf64", "always", "-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("w64", &["-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("w64", &["-c:a", "pcm_f32le"], ANY, BOTH, SAME),
    read("au", &["-c:a", "pcm_s16be"], ANY, BOTH, SAME),
    read("au", &["-c:a", "pcm_mulaw"], ANY, BOTH, SAME),
    read("au", &["-c:a", "pcm_alaw"], ANY, BOTH, SAME),
    read("au", &["-c:a", "pcm_f32be"], ANY, BOTH, SAME),
    read("au", &["-c:a", "g722"], &[16_000], MONO, SAME),
    read("aiff", &["-c:a", "pcm_s16be"], ANY, BOTH, SAME),
    read("aiff", &["-c:a", "pcm_s24be"], ANY, BOTH, SAME),
    read("aiff", &["-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("aiff", &["-c:a", "pcm_f32be"], ANY, BOTH, SAME),
    read("aiff", &["-c:a", "pcm_alaw"], ANY, BOTH, SAME),
    read("aiff", &["-c:a", "adpcm_ima_qt"], ANY, MONO, Expected::Read(0.999)),
    read("caf", &["-c:a", "pcm_s16be"], ANY, BOTH, SAME),
    read("caf", &["-c:a", "pcm_f32le"], ANY, BOTH, SAME),
    read("caf", &["-c:a", "pcm_mulaw"], ANY, BOTH, SAME),
    read("caf", &["-c:a", "alac"], ANY, BOTH, SAME),
    read("caf", &["-c:a", "libopus"], OPUS, BOTH, NEAR),
    read("gsm", &["-c:a", "gsm"], &[8_000], MONO, SAME),
    read("flac", &["-c:a", "flac"], ANY, BOTH, SAME),
    read("mp3", &["-c:a", "libmp3lame"], MPEG, BOTH, SAME),
    read("mp3", &["-c:a", "libmp3lame", "-q:a", "5", "-write_xing", "0"], MPEG, BOTH, SAME),
    read("mp2", MP2, MPEG, BOTH, SAME),
    read("aac", &["-c:a", "aac"], MPEG, BOTH, SAME),
    read("ogg", &["-c:a", "libvorbis"], ANY, BOTH, SAME),
    read("ogg", &["-c:a", "libopus"], OPUS, BOTH, NEAR),
    read("oga", &["-c:a", "flac"], ANY, BOTH, SAME),
    read("m4a", &["-c:a", "aac"], MPEG, BOTH, SAME),
    read("m4a", &["-c:a", "alac"], ANY, BOTH, SAME),
    // At other rates ffmpeg takes the edit list's units for those of 48 kHz: it begins up to 5.4 ms
    // late.
    read("mp4", &["-c:a", "libopus"], &[48_000], BOTH, NEAR),
    read("mp4", &["-c:a", "libmp3lame"], &[44_100], BOTH, SAME),
    read("mp4", &["-c:a", "libopus", "-movflags", "+frag_keyframe+empty_moov"], &[48_000], BOTH, NEAR),
    read("mov", &["-c:a", "pcm_u8"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s8"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s16be"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s24le"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s24be"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_s32be"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_f32le"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_f32be"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_f64be"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_alaw"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "pcm_mulaw"], ANY, BOTH, SAME),
    read("mov", &["-c:a", "alac"], ANY, BOTH, SAME),
    read("mkv", &["-c:a", "aac"], MPEG, BOTH, SAME),
    read("mkv", &["-c:a", "flac"], ANY, BOTH, SAME),
    read("mkv", &["-c:a", "libvorbis"], ANY, BOTH, SAME),
    read("mkv", &["-c:a", "pcm_s16le"], ANY, BOTH, SAME),
    read("mkv", &["-c:a", "libopus"], OPUS, BOTH, NEAR),
    read("mkv", &["-c:a", "libmp3lame"], MPEG, BOTH, SAME),
    read("mkv", MP2, MPEG, BOTH, SAME),
    read("webm", &["-c:a", "libvorbis"], ANY, BOTH, SAME),
    read("webm", &["-c:a", "libopus"], OPUS, BOTH, NEAR),
    read("webm", &["-c:a", "libopus", "-live", "1"], OPUS, BOTH, NEAR),
    read("ts", &["-c:a", "aac"], MPEG, BOTH, SAME),
    read("ts", &["-c:a", "libmp3lame"], MPEG, BOTH, SAME),
    read("ts", MP2, MPEG, BOTH, SAME),
    refused("ts", &["-c:a", "ac3"], "an MPEG transport stream with Dolby AC-3"),
    refused("wma", &["-c:a", "wmav2"], "Windows Media (ASF, WMA)"),
    refused("wv", &["-c:a", "wavpack"], "WavPack"),
    refused("ac3", &["-c:a", "ac3"], "Dolby AC-3"),
    refused("mkv", &["-c:a", "ac3"], "Dolby AC-3"),
    refused("ogg", &["-ar", "16000", "-c:a", "libspeex"], "Ogg with Speex"),
    refused("mkv", &["-c:a", "wavpack"], "WavPack"),
    refused("mkv", &["-c:a", "tta"], "True Audio"),
    refused("mov", &["-c:a", "adpcm_ima_qt"], "codec 'ima4'"),
    refused("voc", &["-ar", "22050"], "Creative Voice"),
    refused("nut", &["-c:a", "pcm_s16le"], "NUT"),
];
