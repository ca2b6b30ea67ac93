//! Compares what was read with the keys that there are, and tells everything that does not fit.

use figment::Figment;
use figment::error::Kind;
use figment::value::Value;

use crate::config::Fault;
use crate::config::schema::{Field, LIST_OF, Shape, Table, join, labelled};
use crate::config::suggest;

pub(super) fn inspect(figment: &Figment, merged: &Value, table: &Table) -> Vec<Fault> {
    let mut inspection = Inspection { figment, root: table, faults: Vec::new() };
    inspection.table(merged, table, "");
    inspection.faults
}

/// The environment variables that clients name as the place of their secret.
pub(super) fn secret_variables(merged: &Value) -> Vec<String> {
    let clients = merged.find_ref("clients").and_then(Value::as_array).unwrap_or_default();
    clients.iter().filter_map(|client| client.find_ref("secret_env")?.as_str()).map(str::to_owned).collect()
}

struct Inspection<'a> {
    figment: &'a Figment,
    root: &'a Table,
    faults: Vec<Fault>,
}

impl Inspection<'_> {
    fn fault(&mut self, value: &Value, key: &str, text: String) {
        let origin = self.figment.get_metadata(value.tag());
        let origin = origin.map_or_else(|| "configuration".to_owned(), |from| from.name.clone().into_owned());
        self.faults.push(Fault { origin, key: key.to_owned(), text });
    }

    fn table(&mut self, value: &Value, table: &Table, path: &str) {
        let Some(dict) = value.as_dict() else {
            return self.fault(value, path, format!("expected a table, found {}", described(value)));
        };
        for (name, value) in dict {
            let key = join(path, name);
            match table.fields.iter().find(|field| field.name == name) {
                Some(field) => self.field(value, field, &key),
                None => {
                    let text = self.unknown(table, path, name);
                    self.fault(value, &key, text);
                }
            }
        }
    }

    fn field(&mut self, value: &Value, field: &Field, key: &str) {
        match &field.shape {
            Shape::Table(table) => self.table(value, table, key),
            Shape::Tables(table) => {
                let Some(list) = value.as_array() else {
                    let text = format!("expected tables, each under `[[{key}]]`, found {}", described(value));
                    return self.fault(value, key, text);
                };
                for (index, one) in list.iter().enumerate() {
                    let label = table.label.and_then(|label| one.find_ref(label)?.as_str());
                    self.table(one, table, &labelled(key, label, index));
                }
            }
            _ => self.leaf(value, field, key),
        }
    }

    fn leaf(&mut self, value: &Value, field: &Field, key: &str) {
        if let Err(error) = (field.accept)(value) {
            let (at, key) = descend(value, &error.path, key);
            let expected = || {
                let whole = field.wording();
                // What is wrong is an item, not that it is a list.
                let item = whole.strip_prefix(LIST_OF).filter(|_| key.ends_with(']'));
                let wording = item.unwrap_or(&whole);
                match field.secret {
                    true => format!("expected {wording}"),
                    false => format!("expected {wording}, found {}", described(at)),
                }
            };
            let text = match error.kind {
                Kind::Message(text) if field.speaks => text,
                Kind::UnknownField(name, known) => {
                    let hint = suggest::nearest(&name, known.iter().copied());
                    format!("unknown key{}", suggest::did_you_mean(hint))
                }
                Kind::MissingField(name) => format!("`{name}` is missing"),
                _ => expected(),
            };
            self.fault(at, &key, text);
        } else if let (Some(number), Some((low, high))) = (number(value), field.bounds)
            && !(u128::from(low)..=u128::from(high)).contains(&number)
        {
            self.fault(value, key, format!("expected {}, found {number}", field.wording()));
        }
    }

    fn unknown(&self, table: &Table, path: &str, name: &str) -> String {
        if path.starts_with("clients[") && matches!(name, "secret" | "client_secret" | "password") {
            return "a secret in clear does not belong in this file, where backups and version control pick it up: \
                    put it into a file and name that in `secret_file`, or into an environment variable and name that \
                    in `secret_env`, or give its SHA-256 as `secret_hash`"
                .to_owned();
        }
        if path.starts_with("resource_servers[") && name.contains("zip") {
            return "tokens are never compressed before they are encrypted: their length would tell what stands in them \
                    (RFC 8725 §3.6)"
                .to_owned();
        }
        let hint = suggest::nearest(name, table.fields.iter().map(|field| field.name));
        if hint.is_none()
            && let Some(section) = self.section_of(name)
        {
            return format!("unknown key; it belongs under {section}");
        }
        format!("unknown key{}", suggest::did_you_mean(hint))
    }

    /// The section that has a key of this name.
    fn section_of(&self, name: &str) -> Option<String> {
        self.root.fields.iter().find_map(|section| match &section.shape {
            Shape::Table(table) if has(table, name) => Some(format!("[{}]", section.name)),
            Shape::Tables(table) if has(table, name) => Some(format!("[[{}]]", section.name)),
            _ => None,
        })
    }
}

fn has(table: &Table, name: &str) -> bool {
    table.fields.iter().any(|field| field.name == name)
}

/// A number that is not negative; TOML's are signed, the environment's too.
fn number(value: &Value) -> Option<u128> {
    value.to_u128().or_else(|| value.to_i128().and_then(|number| number.try_into().ok()))
}

/// The element of a list or table that an error is about, and its key.
fn descend<'v>(value: &'v Value, path: &[String], key: &str) -> (&'v Value, String) {
    let (mut at, mut key) = (value, key.to_owned());
    for step in path {
        if let Some(next) = step.parse().ok().and_then(|index: usize| at.as_array()?.get(index)) {
            (at, key) = (next, format!("{key}[{step}]"));
        } else if let Some(next) = at.as_dict().and_then(|dict| dict.get(step)) {
            (at, key) = (next, join(&key, step));
        }
    }
    (at, key)
}

/// A value as a person would name it.
fn described(value: &Value) -> String {
    match value {
        Value::String(_, text) if text.chars().count() > 80 => "a long text".to_owned(),
        Value::String(_, text) => format!("the text {text:?}"),
        Value::Char(_, one) => format!("the text {:?}", one.to_string()),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(..) => match (value.to_i128(), value.to_u128(), value.to_f64()) {
            (Some(number), _, _) => number.to_string(),
            (_, Some(number), _) => number.to_string(),
            (_, _, Some(number)) => number.to_string(),
            _ => "a number".to_owned(),
        },
        Value::Empty(..) => "nothing".to_owned(),
        Value::Dict(..) => "a table".to_owned(),
        Value::Array(..) => "a list".to_owned(),
    }
}
