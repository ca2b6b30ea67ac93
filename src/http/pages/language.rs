//! Which language a person reads: what the application asks for, then what the browser says, then English.

use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};

use super::texts::Language;
use crate::oauth::locales;

/// Longer than any honest header. What is longer is not read at all.
const MAX_LIST_BYTES: usize = 1024;
/// Preferences beyond these are not looked at.
const MAX_TAGS: usize = 32;

/// Chooses the language of a page.
///
/// OpenID Connect Core §3.1.2.1, `ui_locales`: "a space-separated list of BCP47 language tag values, ordered by
/// preference", and "an error SHOULD NOT result if some or all of the requested locales are not supported". Then
/// `Accept-Language` with its weights (RFC 9110 §12.5.4), then English.
#[must_use]
pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Language {
    let asked = ui_locales.map(locales::first);
    let accepted = accept_language.filter(|list| list.len() <= MAX_LIST_BYTES);
    asked
        .and_then(|list| first_known(list.split_ascii_whitespace().take(MAX_TAGS)))
        .or_else(|| first_known(by_weight(accepted?).into_iter()))
        .unwrap_or(Language::English)
}

/// The tags of an Accept-Language header, the most wanted first; what is not wanted at all (`q=0`) left out.
fn by_weight(list: &str) -> Vec<&str> {
    let mut weighted: Vec<(&str, f32)> = list
        .split(',')
        .take(MAX_TAGS)
        .filter_map(|entry| {
            let (tag, parameter) = entry.split_once(';').unwrap_or((entry, "q=1"));
            Some((tag.trim(), weight(parameter.trim())?))
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    // The sort is stable: of equal weights the earlier one stays in front.
    weighted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighted.into_iter().map(|(tag, _)| tag).collect()
}

/// `q=0.8`; nothing for what is not a weight between 0 and 1.
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let weight: f32 = value.trim().parse().ok()?;
    (name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&weight)).then_some(weight)
}

fn first_known<'a>(mut tags: impl Iterator<Item = &'a str>) -> Option<Language> {
    tags.find_map(known)
}

fn known(tag: &str) -> Option<Language> {
    if tag == "*" {
        return Some(Language::English);
    }
    // Extensions and private parts (`de-u-co-phonebk`, `de-x-office`) say nothing about the words.
    let end = tag.find("-u-").or_else(|| tag.find("-t-")).or_else(|| tag.find("-x-"));
    let asked: LanguageIdentifier = tag.get(..end.unwrap_or(tag.len()))?.parse().ok()?;
    Language::ALL.into_iter().find(|language| {
        let ours: Result<LanguageIdentifier, _> = language.tag().parse();
        ours.is_ok_and(|ours| {
            !negotiate_languages(&[&asked], &[&ours], None, NegotiationStrategy::Filtering).is_empty()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_spoken_when_nobody_says_anything() {
        assert_eq!(choose(None, None), Language::English);
    }

    #[test]
    fn the_application_goes_before_the_browser() {
        assert_eq!(choose(Some("de"), Some("en")), Language::German);
        assert_eq!(choose(Some("en"), Some("de")), Language::English);
    }

    #[test]
    fn ui_locales_is_read_in_its_order() {
        assert_eq!(choose(Some("fr-CA de en"), None), Language::German);
        assert_eq!(choose(Some("fr-CA en de"), None), Language::English);
    }

    #[test]
    fn an_unknown_ui_locale_leaves_the_choice_to_the_browser() {
        assert_eq!(choose(Some("fr"), Some("de")), Language::German);
    }

    #[test]
    fn regions_scripts_variants_and_extensions_are_german_too() {
        for tag in ["de-CH", "de-Latn-DE", "de-CH-1901", "DE-at", "de-u-co-phonebk", "de-x-office"] {
            assert_eq!(choose(Some(tag), None), Language::German, "{tag}");
        }
    }

    #[test]
    fn weights_decide_over_the_order_in_accept_language() {
        assert_eq!(choose(None, Some("en;q=0.3, de;q=0.8")), Language::German);
        assert_eq!(choose(None, Some("de;q=0.3,en;q=0.8")), Language::English);
        assert_eq!(choose(None, Some("fr, de;q=0.9, en;q=0.9")), Language::German);
    }

    #[test]
    fn a_weight_of_zero_means_not_wanted() {
        assert_eq!(choose(None, Some("de;q=0")), Language::English);
    }

    #[test]
    fn any_language_means_english() {
        assert_eq!(choose(None, Some("fr, *;q=0.5, de;q=0.1")), Language::English);
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        for nonsense in ["", ",,;;", "de;q=", "de;q=NaN", "de;q=7", "de;x=1", "-", "\u{0}", "ä", "deutsch"] {
            assert_eq!(choose(Some(nonsense), Some(nonsense)), Language::English, "{nonsense:?}");
        }
        assert_eq!(choose(None, Some("en;q=oops, de;q=0.1")), Language::German);
    }

    #[test]
    fn of_a_long_list_the_first_tags_are_read_and_a_long_header_is_not() {
        let short = format!("de{}", " fr".repeat(10));
        let long = format!("de{}", " fr".repeat(1000));
        assert_eq!(choose(Some(&short), None), Language::German);
        assert_eq!(choose(Some(&long), None), Language::German);
        assert_eq!(choose(None, Some(&short.replace(' ', ","))), Language::German);
        assert_eq!(choose(None, Some(&long.replace(' ', ","))), Language::English);
    }
}
