//! The words of the pages: which languages there are, which one a person reads, and the texts themselves (Fluent).
//!
//! A new language is one more `.ftl` file in `templates/texts/`, one more variant of [`Language`], and the compiler
//! names the places between.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

/// A language that the pages can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English: what is used when nothing else fits.
    English,
    /// German, with the formal address.
    German,
}

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| load(Language::English));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| load(Language::German));

type Bundle = FluentBundle<FluentResource>;

impl Language {
    /// All languages, the default first.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The tag of the language by BCP 47, as the `lang` attribute and `Content-Language` want it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The text under a key. A key that does not exist gives itself; the tests see to it that this cannot happen.
    #[must_use]
    pub fn text(self, key: &str) -> Cow<'static, str> {
        self.format(key, None)
    }

    /// The text under a key, with words put into its placeholders.
    ///
    /// The words may come from strangers. Controls of the direction of writing are taken out of them, since they would
    /// turn the sentence around them; the escaping of HTML is left to the page.
    #[must_use]
    pub fn text_with<V: AsRef<str>>(self, key: &str, words: &[(&str, V)]) -> Cow<'static, str> {
        let words: FluentArgs<'_> =
            words.iter().map(|(name, word)| (*name, word.as_ref().replace(turns_text, ""))).collect();
        self.format(key, Some(&words))
    }

    /// The text under a key for a number of things, which is its placeholder `$count`.
    #[must_use]
    pub fn text_count(self, key: &str, count: u64) -> Cow<'static, str> {
        self.format(key, Some(&std::iter::once(("count", count)).collect()))
    }

    /// The languages' files as they lie in `templates/texts/`.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../../templates/texts/en.ftl"),
            Self::German => include_str!("../../../templates/texts/de.ftl"),
        }
    }

    fn format(self, key: &str, words: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        let bundle: &'static Bundle = match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return Cow::Owned(key.to_owned());
        };
        // What Fluent cannot fill in it writes down by name and goes on: a page with a hole is better than no page.
        let mut holes = Vec::new();
        Cow::Owned(bundle.format_pattern(pattern, words, &mut holes).into_owned())
    }
}

fn load(language: Language) -> Bundle {
    let identifier: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    // The texts are part of the binary. The tests refuse a file with a fault in it, so the faults are not looked at here.
    let resource =
        FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = Bundle::new_concurrent(vec![identifier]);
    // The marks would stand in attributes and in <title> too. Pages isolate names with <bdi> instead.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

/// Embeddings, overrides, isolates and marks of direction, and the control characters.
fn turns_text(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
