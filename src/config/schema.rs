//! What a section is made of: one list per section yields the struct, its defaults, its bounds, the check for unknown
//! keys, the names of the environment variables and the reference page. So none of them can drift from another.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use figment::value::Value;
use serde::de::DeserializeOwned;

use super::Problem;

/// One key of a section.
pub(super) struct Field {
    pub(super) name: &'static str,
    doc: &'static [&'static str],
    /// As TOML; nothing where the key is unset by default.
    pub(super) default: Option<String>,
    /// Smallest and largest number.
    pub(super) bounds: Option<(u64, u64)>,
    pub(super) shape: Shape,
    wording: String,
    /// Values of this key never stand in a message.
    pub(super) secret: bool,
    pub(super) speaks: bool,
    pub(super) accept: fn(&Value) -> Result<(), figment::Error>,
}

/// How a value is written down.
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    /// A list of texts.
    List,
    /// Anything that only TOML can say.
    Mixed,
    Table(Table),
    Tables(Table),
}

/// The keys of a section.
pub(super) struct Table {
    pub(super) about: &'static [&'static str],
    pub(super) fields: Vec<Field>,
    /// The key that names one of several tables in messages.
    pub(super) label: Option<&'static str>,
}

impl Field {
    #[expect(clippy::result_large_err, reason = "the error is figment's own")]
    pub(super) fn of<T: Setting>(
        name: &'static str,
        doc: &'static [&'static str],
        default: &T,
        bounds: Option<(u64, u64)>,
    ) -> Self {
        Self {
            name,
            doc,
            default: default.show(),
            bounds,
            shape: T::shape(),
            wording: T::wording(),
            secret: T::SECRET,
            speaks: T::SPEAKS,
            accept: |value| T::deserialize(value).map(drop),
        }
    }

    /// What may stand there, in words.
    pub(super) fn wording(&self) -> String {
        let unit = [
            ("_ms", " in milliseconds"),
            ("_s", " in seconds"),
            ("_bytes", " in bytes"),
            ("_kib", " in KiB"),
        ]
        .into_iter()
        .find(|(suffix, _)| matches!(self.shape, Shape::Number) && self.name.ends_with(suffix))
        .map_or("", |(_, unit)| unit);
        match self.bounds {
            Some((low, high)) => format!("{} from {low} to {high}{unit}", self.wording),
            None => format!("{}{unit}", self.wording),
        }
    }

    pub(super) fn doc(&self) -> String {
        joined(self.doc)
    }
}

impl Table {
    pub(super) fn about(&self) -> String {
        joined(self.about)
    }
}

/// The lines of a doc comment as one paragraph.
fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A type that a key can have.
pub(super) trait Setting: DeserializeOwned {
    const SECRET: bool = false;
    /// Whether an error from its `FromStr` says what was expected and found.
    const SPEAKS: bool = false;
    fn shape() -> Shape;
    fn wording() -> String;
    /// As TOML; nothing where it is unset.
    fn show(&self) -> Option<String>;
    fn number(&self) -> Option<u64> {
        None
    }
    /// What names this table among others.
    fn label(&self) -> Option<&str> {
        None
    }
    /// Reports numbers outside of their bounds, at `key` or below it.
    fn check(&self, key: &str, bounds: Option<(u64, u64)>, problems: &mut Vec<Problem>) {
        if let (Some(number), Some((low, high))) = (self.number(), bounds)
            && !(low..=high).contains(&number)
        {
            let text = format!("expected a number from {low} to {high}, found {number}");
            problems.push(Problem { key: key.to_owned(), text });
        }
    }
}

/// A text in the quotes of TOML. Defaults hold no character that would have to be escaped.
pub(super) fn quoted(text: &dyn Display) -> String {
    format!("\"{text}\"")
}

/// `section.key`, or the key alone at the top.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `clients["notes"]`, or `clients[0]` for one without a name.
pub(super) fn labelled(path: &str, label: Option<&str>, index: usize) -> String {
    match label.filter(|label| !label.is_empty()) {
        Some(label) => format!("{path}[{label:?}]"),
        None => format!("{path}[{index}]"),
    }
}

/// Defines a section: `/// doc`, `key: Type = default, in low..=high;` for each key.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident $(named by $label:ident)? {
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $type:ty = $default:expr $(, in $low:literal ..= $high:literal)? ;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                #[doc = ""]
                #[doc = concat!("Default: `", stringify!($default), "`" $(, "; from ", $low, " to ", $high)?, ".")]
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::schema::Setting for $name {
            fn shape() -> $crate::config::schema::Shape {
                use $crate::config::schema::{Field, Shape, Table};
                let default = Self::default();
                let bounds = |pair: &[(u64, u64)]| pair.first().copied();
                Shape::Table(Table {
                    about: &[$($about),*],
                    fields: vec![$(
                        Field::of(stringify!($field), &[$($doc),*], &default.$field, bounds(&[$(($low, $high))?])),
                    )*],
                    label: [$(stringify!($label))?].first().copied(),
                })
            }

            fn wording() -> String {
                "a table".to_owned()
            }

            fn show(&self) -> Option<String> {
                None
            }

            $(fn label(&self) -> Option<&str> {
                Some(&self.$label)
            })?

            fn check(&self, key: &str, _: Option<(u64, u64)>, problems: &mut Vec<$crate::config::Problem>) {
                use $crate::config::schema::{Setting, join};
                let bounds = |pair: &[(u64, u64)]| pair.first().copied();
                $(Setting::check(
                    &self.$field,
                    &join(key, stringify!($field)),
                    bounds(&[$(($low, $high))?]),
                    problems,
                );)*
            }
        }
    };
}
pub(super) use section;

/// A type that is written as a text and read by its `FromStr`, whose error is for people.
macro_rules! text_setting {
    ($type:ty, $wording:expr $(, SECRET = $secret:literal)?) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::config::schema::Setting for $type {
            const SPEAKS: bool = true;
            $(const SECRET: bool = $secret;)?

            fn shape() -> $crate::config::schema::Shape {
                $crate::config::schema::Shape::Text
            }

            fn wording() -> String {
                $wording.to_owned()
            }

            fn show(&self) -> Option<String> {
                Some($crate::config::schema::quoted(self))
            }
        }
    };
}
pub(super) use text_setting;

macro_rules! number_setting {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn shape() -> Shape {
                Shape::Number
            }
            fn wording() -> String {
                "a whole number".to_owned()
            }
            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
            fn number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )*};
}
number_setting!(u32, usize);

impl Setting for bool {
    fn shape() -> Shape {
        Shape::Flag
    }
    fn wording() -> String {
        "true or false".to_owned()
    }
    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    fn shape() -> Shape {
        Shape::Text
    }
    fn wording() -> String {
        "text".to_owned()
    }
    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| quoted(self))
    }
}

impl Setting for PathBuf {
    fn shape() -> Shape {
        Shape::Text
    }
    fn wording() -> String {
        "a path".to_owned()
    }
    fn show(&self) -> Option<String> {
        (!self.as_os_str().is_empty()).then(|| quoted(&self.display()))
    }
}

impl Setting for SocketAddr {
    fn shape() -> Shape {
        Shape::Text
    }
    fn wording() -> String {
        "an IP address and a port such as 127.0.0.1:8080 or [::]:8080".to_owned()
    }
    fn show(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;
    const SPEAKS: bool = T::SPEAKS;
    fn shape() -> Shape {
        T::shape()
    }
    fn wording() -> String {
        T::wording()
    }
    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
    fn number(&self) -> Option<u64> {
        self.as_ref().and_then(T::number)
    }
    fn check(&self, key: &str, bounds: Option<(u64, u64)>, problems: &mut Vec<Problem>) {
        if let Some(value) = self {
            value.check(key, bounds, problems);
        }
    }
}

/// How the words about a list begin; those about an item follow.
pub(super) const LIST_OF: &str = "a list, each ";

impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;
    const SPEAKS: bool = T::SPEAKS;
    fn shape() -> Shape {
        match T::shape() {
            Shape::Table(table) => Shape::Tables(table),
            _ => Shape::List,
        }
    }
    fn wording() -> String {
        format!("{LIST_OF}{}", T::wording())
    }
    fn show(&self) -> Option<String> {
        let shown: Vec<_> = self.iter().filter_map(T::show).collect();
        Some(format!("[{}]", shown.join(", ")))
    }
    fn check(&self, key: &str, bounds: Option<(u64, u64)>, problems: &mut Vec<Problem>) {
        for (index, value) in self.iter().enumerate() {
            value.check(&labelled(key, value.label(), index), bounds, problems);
        }
    }
}

/// Reads a text by `FromStr`, with `wording` as the error.
pub(super) fn parse_or<T: FromStr>(text: &str, wording: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("expected {wording}, found {text:?}"))
}
