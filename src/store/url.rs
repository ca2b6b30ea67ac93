//! `sqlite:PATH` or `postgres://…`; nothing else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A libpq connection URI.
    Postgres(String),
}

impl DatabaseUrl {
    /// Whether it is SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// For the log: no password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(uri) => match ::url::Url::parse(uri) {
                Ok(mut parsed) => {
                    // A URI may carry a password in its authority and in its query; neither is shown.
                    let _ = parsed.set_password(None);
                    parsed.set_query(None);
                    parsed.to_string()
                }
                Err(_) => "postgres:…".to_owned(),
            },
        }
    }

    /// As libpq gets it: a server that falls silent, so that not even an error comes back, is given up after `patience_ms`
    /// rather than after the kernel's quarter of an hour. What the operator's URI says itself goes before.
    pub(super) fn postgres_uri(uri: &str, patience_ms: u128) -> String {
        let seconds = patience_ms.div_ceil(1000).max(2);
        let mut whole = uri.to_owned();
        for (name, value) in [
            ("connect_timeout", seconds),
            ("tcp_user_timeout", patience_ms),
            ("keepalives_idle", seconds),
            ("keepalives_interval", seconds),
            ("keepalives_count", 3),
        ] {
            if !uri.contains(&format!("{name}=")) {
                whole.push(if whole.contains('?') { '&' } else { '?' });
                whole.push_str(&format!("{name}={value}"));
            }
        }
        whole
    }

    /// As SQLite wants it: a `file:` URI, which never makes a database unless `may_create`.
    pub(super) fn sqlite_uri(path: &Path, may_create: bool) -> String {
        let mut uri = String::from("file:");
        for c in path.to_string_lossy().chars() {
            match c {
                '?' | '#' | '%' => uri.push_str(&format!("%{:02X}", u32::from(c))),
                c => uri.push(c),
            }
        }
        uri.push_str(if may_create { "?mode=rwc" } else { "?mode=rw" });
        uri
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() && !path.contains('\0') && path != ":memory:" => {
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            Some(_) => Err("sqlite: needs the path of a file".to_owned()),
            None => Err("a database URL begins with sqlite: or postgres://".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_schemes_are_refused() {
        for text in ["mysql://a", "countersign.db", "sqlite:", "sqlite::memory:", ""] {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_silent_server_is_given_up_unless_the_operator_says_otherwise() {
        assert_eq!(
            DatabaseUrl::postgres_uri("postgres://h/db?connect_timeout=9", 1500),
            "postgres://h/db?connect_timeout=9&tcp_user_timeout=1500&keepalives_idle=2&keepalives_interval=2\
             &keepalives_count=3"
        );
        assert!(DatabaseUrl::postgres_uri("postgres://h/db", 5000).contains("db?connect_timeout=5&tcp"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://u:hunter2@h/db?password=hunter2".parse().unwrap();
        assert_eq!(format!("{url:?}"), "postgres://u@h/db");
    }
}
