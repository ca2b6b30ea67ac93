//! A length of time as an operator types it: `90s`, `15m`, `12h`, `30d`.

use crate::base::Seconds;

/// A hundred years.
const LONGEST: Seconds = Seconds(36_525 * 86_400);

/// The value parser of every argument that is one.
pub(super) fn span(text: &str) -> Result<Seconds, String> {
    let wrong = || "a number with s, m, h or d behind it, such as 12h".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| wrong())?;
    let span = Seconds(i64::from(number) * seconds);
    if span > LONGEST { Err("a hundred years at most".to_owned()) } else { Ok(span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_is_a_span_and_nothing_else_is() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("36525d", LONGEST.0)]
        {
            assert_eq!(span(text), Ok(Seconds(seconds)), "{text}");
        }
        for text in [
            "",
            "12",
            "h",
            "-1d",
            "+ 1d",
            "1w",
            "1.5h",
            "36526d",
            "4294967295d",
            "99999999999d",
            "1dd",
            "1 d",
            "1D",
            "1é",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
