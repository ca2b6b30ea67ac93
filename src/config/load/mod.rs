//! Reads the configuration: defaults, then the file, then the environment; later ones win, key by key.

mod environment;
mod inspect;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Deserialize as _;

pub use environment::process_environment;

use super::schema::{Setting as _, Shape, Table};
use super::{Config, ConfigError, Fault};

impl Config {
    /// Reads the file at `path`, if one is named, and the `COUNTERSIGN_…` variables out of `environment`.
    ///
    /// # Errors
    /// When the named file is missing or no TOML, and for every key that is unknown, misplaced, of the wrong type or out
    /// of its bounds: all of them at once. Rules across keys are left to [`Config::validate`].
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let table = table();
        let mut figment = Figment::new();
        if let Some(path) = path {
            let file = read(path).map_err(|fault| ConfigError { faults: vec![fault] })?;
            figment = figment.merge(file);
        }
        let variables = environment::read(&table, environment);
        for layer in variables.layers {
            figment = figment.merge(layer);
        }

        let merged = figment.find_value("").map_err(|error| ConfigError::internal(&error))?;
        let mut faults = variables.faults;
        faults.extend(inspect::inspect(&figment, &merged, &table));
        let mut config = Self::default();
        if faults.is_empty() {
            config = Self::deserialize(&merged).map_err(|error| ConfigError::internal(&error))?;
            if let Some(folder) = path.and_then(Path::parent) {
                config.resolve(folder);
            }
        }
        let named_by_clients = inspect::secret_variables(&merged);
        faults
            .extend(variables.unknown.into_iter().filter(|fault| !named_by_clients.contains(&fault.origin)));
        if faults.is_empty() { Ok(config) } else { Err(ConfigError { faults }) }
    }
}

impl Config {
    /// Makes relative paths count from `folder`, where the file is: from any other working directory they would lead to
    /// another, empty database and to other keys.
    fn resolve(&mut self, folder: &Path) {
        let client_files = self.clients.iter_mut().filter_map(|client| client.secret_file.as_mut());
        let encryption_keys =
            self.resource_servers.iter_mut().filter_map(|server| server.encryption_key_file.as_mut());
        let tls = self.server.tls.iter_mut();
        let files = std::iter::once(&mut self.keys.master_key_file)
            .chain(&mut self.keys.previous_master_key_files)
            .chain(tls.flat_map(|tls| [&mut tls.certificate_file, &mut tls.private_key_file]))
            .chain(client_files)
            .chain(encryption_keys);
        for file in files.filter(|file| !file.as_os_str().is_empty()) {
            *file = folder.join(&*file);
        }
        self.database.url.resolve(folder);
    }
}

impl ConfigError {
    /// For what the inspection should have found before; the text of a value may hold a secret and stays out.
    fn internal(error: &figment::Error) -> Self {
        let text = "could not be read as a configuration".to_owned();
        Self { faults: vec![Fault { origin: "configuration".to_owned(), key: error.path.join("."), text }] }
    }
}

/// The sections and keys that there are.
pub(super) fn table() -> Table {
    match Config::shape() {
        Shape::Table(table) => table,
        // `section!` gives every struct the shape of a table.
        _ => Table { about: &[], fields: Vec::new(), label: None },
    }
}

/// What one file or one variable says.
struct Layer {
    origin: String,
    dict: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}

fn read(path: &Path) -> Result<Layer, Fault> {
    let origin = path.display().to_string();
    let fault = |text: String| Fault { origin: origin.clone(), key: String::new(), text };
    let bytes = fs::read(path).map_err(|error| fault(format!("could not be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8 text".to_owned()))?;
    let dict =
        Toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| fault(without_source(&error)))?;
    Ok(Layer { origin, dict })
}

/// A TOML error without the line that it quotes, which may hold a secret.
fn without_source(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let said: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with("|"))
        .collect();
    said.join(": ")
}
