//! `COUNTERSIGN_SECTION__KEY`: every key of the file can be given by environment, and no other name with the prefix.

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Empty, Tag, Value};

use super::{Layer, without_source};
use crate::config::Fault;
use crate::config::schema::{Field, Shape, Table};
use crate::config::suggest;

const PREFIX: &str = "COUNTERSIGN_";
/// Read by the command line and by the pages, not here.
const ELSEWHERE: [&str; 2] = ["COUNTERSIGN_CONFIG", "COUNTERSIGN_PAGE_PREVIEW"];

/// What the environment says.
pub(super) struct Variables {
    pub(super) layers: Vec<Layer>,
    pub(super) faults: Vec<Fault>,
    /// Names with the prefix that are no key; a client may still name them as the place of its secret.
    pub(super) unknown: Vec<Fault>,
}

/// The environment of this process. Variables that are no Unicode text lose what is not.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

pub(super) fn read(table: &Table, environment: impl Iterator<Item = (String, String)>) -> Variables {
    let mut known = Vec::new();
    collect(table, &mut Vec::new(), &mut known);
    let mut read = Variables { layers: Vec::new(), faults: Vec::new(), unknown: Vec::new() };
    let mut given: Vec<_> = environment
        .filter(|(name, _)| name.starts_with(PREFIX) && !ELSEWHERE.contains(&name.as_str()))
        .collect();
    given.sort();
    for (name, text) in given {
        let Some(key) = known.iter().find(|key| key.variable == name) else {
            // A key without its section first: COUNTERSIGN_ISSUER is COUNTERSIGN_SERVER__ISSUER.
            let last = format!("__{}", name.trim_start_matches(PREFIX));
            let variables = || known.iter().map(|key| key.variable.as_str());
            let hint = variables()
                .find(|variable| variable.ends_with(&last))
                .or_else(|| suggest::nearest(&name, variables()));
            let text = format!("no such setting{}", suggest::did_you_mean(hint));
            read.unknown.push(Fault { origin: name, key: String::new(), text });
            continue;
        };
        match value(key.field, &text) {
            Ok(value) => read.layers.push(Layer { origin: name, dict: nested(&key.path, value) }),
            Err(text) => read.faults.push(Fault { origin: name, key: key.path.join("."), text }),
        }
    }
    read
}

struct Key<'t> {
    variable: String,
    path: Vec<&'static str>,
    field: &'t Field,
}

fn collect<'t>(table: &'t Table, path: &mut Vec<&'static str>, known: &mut Vec<Key<'t>>) {
    for field in &table.fields {
        path.push(field.name);
        match &field.shape {
            Shape::Table(inner) => collect(inner, path, known),
            _ => known.push(Key { variable: variable(path), path: path.clone(), field }),
        }
        path.pop();
    }
}

fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("__").to_ascii_uppercase())
}

/// The value that `text` stands for. What does not fit is left as text, for the inspection to refuse in its words.
fn value(field: &Field, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match field.shape {
        Shape::List if trimmed.starts_with('[') => toml(trimmed),
        Shape::List => {
            let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::from(parts.map(str::to_owned).collect::<Vec<_>>()))
        }
        Shape::Mixed | Shape::Tables(_) => toml(trimmed),
        _ if trimmed.is_empty() => Ok(Value::Empty(Tag::Default, Empty::None)),
        Shape::Number => Ok(trimmed.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)),
        Shape::Flag => Ok(trimmed.parse::<bool>().map_or_else(|_| Value::from(text), Value::from)),
        Shape::Text | Shape::Table(_) => Ok(Value::from(text)),
    }
}

fn toml(text: &str) -> Result<Value, String> {
    let mut dict: Dict = Toml::from_str(&format!("value = {text}"))
        .map_err(|error| format!("expected a value in the syntax of TOML: {}", without_source(&error)))?;
    match (dict.remove("value"), dict.is_empty()) {
        (Some(value), true) => Ok(value),
        _ => Err("expected one value in the syntax of TOML".to_owned()),
    }
}

fn nested(path: &[&str], value: Value) -> Dict {
    let mut dict = Dict::new();
    match path {
        [] => {}
        [last] => {
            dict.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            dict.insert((*first).to_owned(), Value::Dict(Tag::Default, nested(rest, value)));
        }
    }
    dict
}
