//! `docs/CONFIG.md`, made from the same lists as the structs.

use super::load::table;
use super::schema::{Field, Shape, Table};

const HEAD: &str = "\
# Configuration

<!-- Made by `config::reference()` from src/config/. Do not edit: change the doc comments there, then run
     `COUNTERSIGN_BLESS=1 cargo test --lib config::`. -->

One TOML file, named by `--config` or `COUNTERSIGN_CONFIG`, and environment variables that go before it. Unknown keys
and variables are refused, and so is a number outside of its bounds. Relative paths count from the folder
of the file (from the working directory where there is no file).
[countersign.example.toml](countersign.example.toml) is a file to begin with.

The variable of a key is `COUNTERSIGN_`, the section, two underscores, and the key, in capitals:
`COUNTERSIGN_SERVER__ISSUER`, `COUNTERSIGN_LOGIN__ARGON2__MEMORY_KIB`. Lists are parted by commas, or written as in TOML;
what is declared (`COUNTERSIGN_CLIENTS` and its like) is written as in TOML and replaces the file's. An empty variable
unsets an optional key. A variable with this prefix that is no setting is refused, unless a client names it in
`secret_env`.
";

/// The reference of all keys, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    sections(&mut page, &table(), "");
    page
}

fn sections(page: &mut String, table: &Table, path: &str) {
    for field in &table.fields {
        let name = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        match &field.shape {
            Shape::Table(inner) => {
                section(page, inner, &format!("[{name}]"));
                sections(page, inner, &name);
            }
            Shape::Tables(inner) => {
                section(page, inner, &format!("[[{name}]]"));
                sections(page, inner, &name);
            }
            _ => {}
        }
    }
}

fn section(page: &mut String, table: &Table, title: &str) {
    page.push_str(&format!("\n## `{title}`\n\n{}\n\n", table.about()));
    page.push_str("| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for field in &table.fields {
        if !matches!(field.shape, Shape::Table(_) | Shape::Tables(_)) {
            page.push_str(&row(field));
        }
    }
}

fn row(field: &Field) -> String {
    let default = field.default.as_ref().map_or_else(|| "—".to_owned(), |default| format!("`{default}`"));
    format!("| `{}` | {} | {default} | {} |\n", field.name, field.wording(), field.doc())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn docs_config_md_is_what_the_code_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIG.md");
        if std::env::var_os("COUNTERSIGN_BLESS").is_some_and(|value| value == "1") {
            std::fs::write(&path, reference()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/CONFIG.md is stale: run `COUNTERSIGN_BLESS=1 cargo test --lib config::` and commit it"
        );
    }

    #[test]
    fn the_example_is_valid_and_the_smallest_one_too() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/countersign.example.toml");
        let config = Config::load(Some(&path), std::iter::empty()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.validate(), []);
        assert!(config.issuer().is_ok());
        assert!(
            !config.clients.is_empty() && !config.resource_servers.is_empty() && !config.roles.is_empty()
        );
        assert_eq!(Config::default().validate(), []);
    }

    #[test]
    fn every_number_has_bounds_and_every_default_lies_within() {
        fn numbers(table: &Table) -> usize {
            let inside = |field: &Field| match &field.shape {
                Shape::Table(inner) | Shape::Tables(inner) => numbers(inner),
                Shape::Number => {
                    assert!(field.bounds.is_some(), "{} has no bounds", field.name);
                    1
                }
                _ => 0,
            };
            table.fields.iter().map(inside).sum()
        }
        assert!(numbers(&table()) > 30);
    }

    #[test]
    fn every_key_is_documented_and_no_cell_breaks_the_table() {
        let page = reference();
        for line in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.matches('|').count(), 5, "{line}");
            assert!(!line.contains("|  |"), "{line}");
        }
    }
}
