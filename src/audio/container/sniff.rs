//! What a file is by its first bytes: for the choice of a demuxer, and for error messages about
//! files that cannot be decoded. It owns the lists of signatures.

/// How many bytes of a file these functions want to see.
pub(super) const HEAD_LEN: usize = 512;

/// Offset, bytes, and name of a format.
type Signature = (usize, &'static [u8], &'static str);

/// Formats that hold no audio.
const OTHERS: &[Signature] = &[
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
    (0, b"#EXTM3U", "a playlist, which names files and holds no sound"),
];

/// Audio that has no demuxer or decoder here.
const CONVERTIBLE: &[Signature] = &[
    (8, b"AVI ", "an AVI video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x00\x00\x01\xba", "an MPEG program stream"),
    (0, b"\x30\x26\xb2\x75", "Windows Media (ASF, WMA)"),
    (0, b"#!AMR-WB", "AMR (wide band)"),
    (0, b"#!AMR", "AMR (narrow band)"),
    (0, b"\x0b\x77", "Dolby AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"TTA1", "True Audio"),
    (0, b"DSD ", "DSD"),
    (28, b"Speex   ", "Ogg with Speex"),
    (0, b"#!SILK_V3", "SILK"),
    (1, b"#!SILK_V3", "SILK"),
    (0, b"#!iLBC", "iLBC"),
    (0, b"\xc0\xde\xc2", "Codec 2"),
    (8, b"QLCM", "Qualcomm PureVoice"),
    (0, b"Creative Voice File", "Creative Voice (VOC)"),
    (0, b"nut/multimedia container", "NUT"),
    (0, b"\x64\xa3", "IRCAM"),
    (0, b"MMMD", "Yamaha SMAF (MMF)"),
    (0, b"\x06\x0e\x2b\x34", "MXF"),
    (0, b"\0\0\0\0\x01\xbc", "GXF"),
    (4, b"\xf8\x72\x6f\xba", "Dolby TrueHD"),
    (4, b"\xf8\x72\x6f\xbb", "Meridian Lossless (MLP)"),
    (0, b"ea3\x03", "ATRAC (OMA)"),
    (0, b"EA3", "ATRAC (OMA)"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"FRM8", "DSD"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"ajkg", "Shorten"),
];

/// Formats whose demuxers need no search for frames.
const MARKED: &[Signature] =
    &[(0, b"OggS", ""), (0, b"fLaC", ""), (0, b"caff", ""), (0, b"\x1a\x45\xdf\xa3", "")];

fn find(signatures: &[Signature], head: &[u8]) -> Option<&'static str> {
    let has = |offset: usize, bytes: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(bytes));
    let known = signatures.iter().find(|&&(offset, bytes, _)| has(offset, bytes));
    known.map(|&(_, _, name)| name)
}

/// The name of the format that starts with `head`, if it is one that certainly holds no audio.
pub(super) fn no_audio(head: &[u8]) -> Option<&'static str> {
    find(OTHERS, head).or_else(|| is_text(head).then_some("a text file"))
}

/// The name of the audio that starts with `head`, if other programs must convert it.
pub(super) fn convertible(head: &[u8]) -> Option<&'static str> {
    find(CONVERTIBLE, head)
}

/// Whether a file that starts with `head` names the format of a demuxer.
pub(super) fn is_marked(head: &[u8]) -> bool {
    find(MARKED, head).is_some()
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
        assert_eq!(no_audio(b"\x89PNG\r\n\x1a\n\0\0"), Some("a PNG picture"));
        assert_eq!(no_audio("Grüße an alle\n".as_bytes()), Some("a text file"));
        for audio in [&b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"[..], b"\xff\xfb\x90\x64\0\0", b""] {
            assert_eq!((no_audio(audio), convertible(audio)), (None, None));
        }
        assert_eq!(convertible(b"#!AMR\n\x3c"), Some("AMR (narrow band)"));
        assert!(is_marked(b"OggS\0\x02") && !is_marked(b"RIFF"));
    }
}
