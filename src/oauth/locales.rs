//! `ui_locales` (OpenID Connect Core 1.0 §3.1.2.1): "a space-separated list of BCP47 language tag values, ordered by
//! preference".

/// How much of a list is kept, in bytes: far more than anybody reads, and little enough to travel in an address.
const MAX_KEPT_BYTES: usize = 1024;

/// The first tags of a list, those that are wanted most. §3.1.2.1: "An error SHOULD NOT result if some or all of the requested
/// locales are not supported", nor does it from many of them.
#[must_use]
pub fn first(list: &str) -> &str {
    if list.len() <= MAX_KEPT_BYTES {
        return list;
    }
    let end = list.bytes().take(MAX_KEPT_BYTES + 1).rposition(|byte| byte == b' ').unwrap_or(0);
    list.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_tags_are_kept_from_the_front() {
        assert_eq!((first(""), first("de en")), ("", "de en"));
        let many = "de ".repeat(400);
        assert_eq!(first(&many), "de ".repeat(341).trim_end());
        let one = "x".repeat(1024);
        assert_eq!((first(&one), first(&format!("{one} de"))), (one.as_str(), one.as_str()));
        assert_eq!(first(&"ü".repeat(600)), "");
    }
}
