//! Texts out of files, as messages show them.

/// A text from a file, made short and printable.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = text.chars().take(LONGEST).collect();
    format!("{short:?}{}", if text.chars().count() > LONGEST { "..." } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
        assert!(quoted(&"x".repeat(1000)).len() < 100);
    }
}
