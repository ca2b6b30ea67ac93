//! What a stranger may have people read. RFC 7591 §5 warns of clients that pass themselves off as others by their name.

/// The longest text that people are shown, in bytes.
const MAX_BYTES: usize = 200;

/// Whether a text can be shown as a name: something that is seen, in one line, whose letters stand in the order in which
/// they are read. Which words it says is another matter; a page says beside it who the client is.
#[must_use]
pub fn is_shown(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.chars().any(is_seen) && text.chars().all(|c| !is_refused(c))
}

/// Joiners and direction marks are part of how some scripts are written, but there is nothing to see in them alone.
fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Turn text around, beyond what its own letters say.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // End a line.
            | '\u{2028}' | '\u{2029}'
            // Are there and cannot be seen.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Mean whatever a font makes of them.
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7591 §5.
    #[test]
    fn a_name_is_seen_and_reads_as_it_is_written() {
        let persian = "می\u{200c}خواهم";
        for name in
            ["Acme Photos", "Fotos für alle", "写真", "צילום", persian, "👩\u{200d}💻 Code", "C++ & <b>"]
        {
            assert!(is_shown(name), "{name:?}");
        }
        let long = "a".repeat(201);
        for name in [
            "",
            " \u{a0}\u{3000}",
            "\u{200e}",
            "a\nb",
            "a\0b",
            "a\u{7f}",
            "a\u{85}b",
            "Acme \u{202e}evil",
            "Acme \u{2067}evil",
            "Ac\u{200b}me",
            "Ac\u{ad}me",
            "Acme\u{2028}",
            "\u{feff}Acme",
            "Acme\u{e0041}",
            "\u{f8ff} Music",
            "\u{3164}",
            &long,
        ] {
            assert!(!is_shown(name), "{name:?}");
        }
    }
}
