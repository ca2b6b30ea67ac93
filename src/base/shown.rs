//! Which characters can be seen: what people read is to be what it seems to be, whoever wrote it. RFC 7591 §5 warns of
//! clients that pass themselves off as others by their name.

/// Whether a text can be shown as a name: something that is seen, in one line, whose letters stand in the order in which
/// they are read. Which words it says is another matter; a page says beside it who the client is.
#[must_use]
pub fn is_shown(text: &str) -> bool {
    let refused = |c: char| c.is_control() || is_private(c) || is_invisible(c) && !is_part_of_a_script(c);
    text.chars().any(|c| !c.is_whitespace() && !is_part_of_a_script(c)) && !text.chars().any(refused)
}

/// Joiners, direction marks and variation selectors: there is nothing to see in them alone, and some scripts and emoji are
/// written with them.
fn is_part_of_a_script(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}')
}

/// Means whatever a font makes of it.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Unicode's Default_Ignorable_Code_Point (UAX #44), the separators and marks of interlinear text, and the blanks and controls
/// of single scripts (braille, ogham, hieroglyphs, musical notation): shown as nothing, or turning around what is beside them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1680}' | '\u{2800}' | '\u{13430}'..='\u{1345f}' | '\u{16fe4}' | '\u{1d159}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
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
            "Ac\u{2800}me",
            "\u{1d159}",
        ] {
            assert!(!is_shown(name), "{name:?}");
        }
    }
}
