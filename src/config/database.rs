//! `[database]`: one URL chooses between SQLite and PostgreSQL.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use url::Url;

use super::schema::{section, text_setting};
use super::words::Synchronous;

section! {
    /// Where everything that must outlive a restart is kept.
    pub struct Database {
        /// `sqlite:FILE` for one node, `postgres://USER:PASSWORD@HOST/DATABASE` for several. A password is better left
        /// out of the file: give the whole URL by environment, or let libpq find the password (`PGPASSFILE`).
        url: DatabaseUrl = DatabaseUrl::default();
        /// Connections of the pool: readers with SQLite (there is one writer beside them), all with PostgreSQL.
        pool_size: u32 = 8, in 1..=256;
        /// How long a request waits for a free connection before it is answered with 503.
        acquire_timeout_ms: u32 = 5_000, in 100..=60_000;
        /// SQLite only: `full` loses no acknowledged commit at a power failure, `normal` may lose the last ones.
        synchronous: Synchronous = Synchronous::Full;
        /// Whether `serve` applies pending migrations. Left out: yes on SQLite, no on PostgreSQL, where several nodes
        /// start and `countersign migrate` runs once before them.
        migrate_at_start: Option<bool> = None;
    }
}

impl Database {
    /// `migrate_at_start`, or what the kind of database has as its default.
    #[must_use]
    pub fn migrates_at_start(&self) -> bool {
        self.migrate_at_start.unwrap_or(self.url.backend() == Backend::Sqlite)
    }
}

/// The two kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file beside the server.
    Sqlite,
    /// A server, shared by all nodes.
    Postgres,
}

/// A database URL. Printing it hides the password.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, with its password: for the store only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Makes the relative path of a SQLite file count from `folder`.
    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(file) = self.sqlite_file() {
            self.0 = format!("sqlite:{}", folder.join(file).display());
        }
    }

    /// Which database it names.
    #[must_use]
    pub fn backend(&self) -> Backend {
        if self.0.starts_with("sqlite:") { Backend::Sqlite } else { Backend::Postgres }
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<&str> {
        self.0.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest))
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self("sqlite:countersign.db".to_owned())
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// The errors name no part of the text but its scheme, as it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected `sqlite:FILE` or `postgres://…`";
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("{EXPECTED}, found a text without a scheme"));
        };
        match scheme {
            "sqlite" => {
                let file = rest.strip_prefix("//").unwrap_or(rest);
                if file.is_empty() || file.contains(":memory:") || file.contains('?') || file.contains('\0') {
                    return Err("expected a file behind `sqlite:`; a database in memory would be another one for each \
                                connection, and there are no `?` options"
                        .to_owned());
                }
            }
            "postgres" | "postgresql" => {
                if !rest.starts_with("//") || Url::parse(text).is_err() {
                    return Err(
                        "expected `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; percent-encode what is \
                                special in the password"
                            .to_owned(),
                    );
                }
            }
            _ if scheme.len() <= 16 && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                return Err(format!("{EXPECTED}, found the scheme `{scheme}`"));
            }
            _ => return Err(format!("{EXPECTED}, found another scheme")),
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backend() == Backend::Sqlite {
            return f.write_str(&self.0);
        }
        // The query is left out as well: libpq takes `?password=` there.
        match Url::parse(&self.0) {
            Ok(url) => write!(
                f,
                "{}://{}{}{}{}",
                url.scheme(),
                if url.has_authority() && !url.username().is_empty() { "…@" } else { "" },
                url.host_str().unwrap_or_default(),
                url.port().map(|port| format!(":{port}")).unwrap_or_default(),
                url.path(),
            ),
            Err(_) => f.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

text_setting!(DatabaseUrl, "`sqlite:FILE` or `postgres://…`", SECRET = true);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_database() {
        let file: DatabaseUrl = "sqlite:/var/lib/countersign/data.db".parse().unwrap();
        assert_eq!(file.backend(), Backend::Sqlite);
        assert_eq!(file.sqlite_file(), Some("/var/lib/countersign/data.db"));
        assert_eq!("sqlite:///a.db".parse::<DatabaseUrl>().unwrap().sqlite_file(), Some("/a.db"));
        for text in ["postgres://u:p@db:5432/countersign", "postgresql:///countersign?host=/run/postgresql"] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!((url.backend(), url.sqlite_file(), url.reveal()), (Backend::Postgres, None, text));
        }
    }

    #[test]
    fn other_schemes_memory_and_plain_paths_are_refused() {
        for text in
            ["mysql://db/x", "countersign.db", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro", ""]
        {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
        }
        assert!("mysql://db/x".parse::<DatabaseUrl>().unwrap_err().contains("`mysql`"));
    }

    #[test]
    fn the_password_is_never_printed() {
        for text in [
            "postgres://admin:geheim@db:5432/countersign",
            "postgres://db/countersign?user=admin&password=geheim",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("geheim") && shown.contains("countersign"), "{shown}");
        }
        let told = "postgres:admin:geheim@db/x".parse::<DatabaseUrl>().unwrap_err();
        assert!(!told.contains("geheim"), "{told}");
    }

    #[test]
    fn migrations_run_at_the_start_on_sqlite_only_unless_it_is_said() {
        let mut database = Database::default();
        assert!(database.migrates_at_start());
        database.url = "postgres://db/x".parse().unwrap();
        assert!(!database.migrates_at_start());
        database.migrate_at_start = Some(true);
        assert!(database.migrates_at_start());
    }
}
