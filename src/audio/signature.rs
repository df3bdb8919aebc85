//! How encoded audio begins, by which it is told from raw samples. It owns the list; whether a
//! format can be decoded is the container's matter.

/// Bytes by which [`encoded_format`] knows what it can know.
pub const SIGNATURE_LEN: usize = 192;

/// Offset, bytes, name. None of them begins recordings of raw samples but by chance: four given
/// bytes are two samples of certain values.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"RIFF", "WAV"),
    (0, b"RIFX", "WAV"),
    (0, b"RF64", "WAV"),
    (0, b"BW64", "WAV"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (0, b"FORM", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b".snd", "Sun audio"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
];

/// Distance of the packets of an MPEG transport stream, and the byte that begins each.
const TRANSPORT: (usize, u8) = (188, 0x47);

/// The format whose files begin with `head`, by a signature that raw samples do not have.
pub fn encoded_format(head: &[u8]) -> Option<&'static str> {
    let has = |offset: usize, bytes: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(bytes));
    let known = SIGNATURES.iter().find(|&&(offset, bytes, _)| has(offset, bytes));
    let (packet, sync) = TRANSPORT;
    let transport = || (head.first() == Some(&sync) && head.get(packet) == Some(&sync)).then_some("MPEG-TS");
    known.map(|&(_, _, name)| name).or_else(transport)
}

/// As [`encoded_format`], and the two formats that begin with nothing but the header of a frame,
/// two bytes that raw samples may well begin with.
pub fn perhaps_encoded(head: &[u8]) -> Option<&'static str> {
    let frame = match head {
        // Eleven bits of synchronisation; version 2.5, 2 or 1, and layer III.
        [0xff, second, ..] if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 => Some("MP3"),
        // Twelve bits, and layer 0.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some("AAC (ADTS)"),
        _ => None,
    };
    encoded_format(head).or(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_audio_is_told_from_samples() {
        assert_eq!(encoded_format(b"RIFF\xff\xff\xff\xffWAVE"), Some("WAV"));
        assert_eq!(encoded_format(b"\0\0\0\x20ftypM4A "), Some("MP4"));
        let mut transport = vec![0; SIGNATURE_LEN];
        (transport[0], transport[188]) = (0x47, 0x47);
        assert_eq!(encoded_format(&transport), Some("MPEG-TS"));
        for samples in [&[0; SIGNATURE_LEN][..], &[0xff; 64], b"", &[0x47; 20]] {
            assert_eq!(encoded_format(samples), None);
            assert_eq!(perhaps_encoded(samples), None);
        }
        assert_eq!(encoded_format(b"\xff\xfb\x90\x64"), None);
        assert_eq!(perhaps_encoded(b"\xff\xfb\x90\x64"), Some("MP3"));
        assert_eq!(perhaps_encoded(b"\xff\xe3\x18"), Some("MP3"));
        assert_eq!(perhaps_encoded(b"\xff\xf1\x50"), Some("AAC (ADTS)"));
    }
}
