//! What a file is by its first bytes, for error messages about files that cannot be decoded. It
//! owns the list of signatures; it decides nothing about files that might be audio this library
//! decodes.

/// How many bytes of a file [`unsupported`] wants to see.
pub(super) const HEAD_LEN: usize = 512;

/// Signatures of formats that are certainly not decodable: offset, bytes, name.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"SQLite format 3", "an SQLite database"),
    (0, b"MThd", "a MIDI file, which holds no recorded sound"),
    (8, b"AVI ", "an AVI video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM, which is not supported"),
    (0, b"\x30\x26\xb2\x75", "Windows Media (ASF, WMA), which is not supported"),
    (8, b"AIFF", "AIFF, which is not supported"),
    (8, b"AIFC", "AIFF-C, which is not supported"),
    (0, b"caff", "Core Audio Format (CAF), which is not supported"),
    (0, b"#!AMR", "AMR, which is not supported"),
    (0, b"RF64", "RF64 (64-bit WAV), which is not supported"),
    (0, b"BW64", "BW64 (64-bit WAV), which is not supported"),
    (0, b"RIFX", "RIFX (big-endian WAV), which is not supported"),
    (0, b"wvpk", "WavPack, which is not supported"),
    (0, b"MAC ", "Monkey's Audio, which is not supported"),
    (0, b"DSD ", "DSD, which is not supported"),
    (28, b"OpusHead", "Ogg with Opus, which is not supported"),
    (28, b"Speex   ", "Ogg with Speex, which is not supported"),
];

/// The name of the format that starts with `head`, if it is one that certainly cannot be decoded.
pub(super) fn unsupported(head: &[u8]) -> Option<&'static str> {
    let has = |offset: usize, bytes: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(bytes));
    let known = SIGNATURES.iter().find(|&&(offset, bytes, _)| has(offset, bytes));
    known.map(|&(_, _, name)| name).or_else(|| is_text(head).then_some("a text file"))
}

/// Whether everything in `head` is printable text: no audio format starts with so much of it.
fn is_text(head: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    !head.is_empty() && valid && head.iter().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_no_audio_and_lets_the_rest_pass() {
        assert_eq!(unsupported(b"\x89PNG\r\n\x1a\n\0\0"), Some("a PNG picture"));
        assert_eq!(unsupported("Grüße an alle\n".as_bytes()), Some("a text file"));
        assert_eq!(unsupported(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"), None);
        assert_eq!(unsupported(b"\xff\xfb\x90\x64\0\0"), None);
        assert_eq!(unsupported(b""), None);
    }
}
