//! The texts: complete in every language, all used, nothing used that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_bundle::FluentResource;

use super::samples;
use crate::http::pages::{ErrorKind, Language, scope_words};

/// Each key of a language with the names of its placeholders.
fn keys(lang: Language) -> BTreeMap<String, BTreeSet<String>> {
    let parsed = FluentResource::try_new(lang.source().to_owned());
    assert!(
        parsed.is_ok(),
        "{lang:?} has lines that Fluent does not understand: {:?}",
        parsed.err().map(|(_, faults)| faults)
    );
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in lang.source().lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) =
            line.split_once(" = ").filter(|_| line.starts_with(|first: char| first.is_ascii_lowercase()))
        {
            current = key.to_owned();
            assert!(
                keys.insert(current.clone(), BTreeSet::new()).is_none(),
                "{key} stands twice in {lang:?}"
            );
        }
        for placeholder in line.split("{ $").skip(1) {
            let name = placeholder.split([' ', '}']).next().unwrap().to_owned();
            keys.get_mut(&current).unwrap().insert(name);
        }
    }
    keys
}

/// Each "word-with-hyphens" between quotes in the pages and their Rust, tests left out.
fn words_between_quotes() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut words = BTreeSet::new();
    for folder in ["templates", "src/http/pages"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                words.extend(text.split('"').map(str::to_owned));
            }
        }
    }
    words
}

#[test]
fn every_language_has_the_same_keys_with_the_same_placeholders() {
    let english = keys(Language::English);
    assert!(english.len() > 80, "the texts were not read: {}", english.len());
    for lang in Language::ALL {
        assert_eq!(keys(lang), english, "{lang:?}");
    }
}

#[test]
fn every_text_is_used() {
    let used = words_between_quotes();
    let unused: Vec<String> = keys(Language::English).into_keys().filter(|key| !used.contains(key)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_key_that_is_used_has_a_text() {
    let keys = keys(Language::English);
    let families: BTreeSet<&str> =
        keys.keys().filter_map(|key| key.split_once('-')).map(|(family, _)| family).collect();
    let missing: Vec<String> = words_between_quotes()
        .into_iter()
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        .filter(|word| word.split_once('-').is_some_and(|(family, _)| families.contains(family)))
        .filter(|word| !keys.contains_key(word))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_page_shows_a_key_or_a_hole_instead_of_a_text() {
    let keys = keys(Language::English);
    for page in samples::all() {
        assert!(!page.html.contains("{$") && !page.html.contains("{ $"), "{}", page.name);
        for key in keys.keys() {
            assert!(!page.html.contains(&format!(">{key}<")), "{}: {key}", page.name);
        }
    }
}

#[test]
fn texts_differ_between_the_languages() {
    let same_in_both = ["error-status"];
    for key in keys(Language::English).keys() {
        let (english, german) = (Language::English.text(key), Language::German.text(key));
        assert!(english != german || same_in_both.contains(&key.as_str()), "{key}: {german}");
    }
}

#[test]
fn no_text_carries_invisible_marks() {
    for lang in Language::ALL {
        let text = lang.text_with("consent-title", &[("client", "Acme")]);
        assert!(!text.contains(['\u{2068}', '\u{2069}']), "{text:?}");
    }
    assert_eq!(Language::German.text_with("consent-title", &[("client", "Acme")]), "Acme Zugriff erlauben?");
}

#[test]
fn well_known_scopes_have_words_and_others_have_none() {
    for lang in Language::ALL {
        for scope in ["openid", "profile", "email", "address", "phone", "offline_access"] {
            assert!(scope_words(lang, scope).is_some_and(|words| words.contains(' ')), "{scope}");
        }
        for scope in ["", "OPENID", "photos.read"] {
            assert_eq!(scope_words(lang, scope), None, "{scope}");
        }
    }
}

#[test]
fn every_kind_of_error_has_a_title_of_its_own() {
    let titles: BTreeSet<String> = ErrorKind::ALL
        .into_iter()
        .map(|kind| {
            let html = samples::error(Language::English, samples::FRIENDLY, kind);
            html.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(titles.len(), ErrorKind::ALL.len());
}
