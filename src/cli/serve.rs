//! `countersign serve`: everything in the order in which it can go wrong, then requests until a signal comes.

use std::sync::Arc;

use crate::app::{App, Background};
use crate::base::clock::SystemClock;
use crate::config::Config;
use crate::http::{Doors, serve};

use super::check;
use super::output::Failure;
use super::setup::{Setup, entropy, log};

pub(super) fn run(setup: &Setup) -> Result<(), Failure> {
    let config = setup.config()?;
    if let (Err(problem), Some(text)) = (config.issuer(), setup.without_file()) {
        return Err(Failure(vec![problem.to_string(), text]));
    }
    log(&config);
    check::warn(&config, setup);
    run_with(&config, || {})
}

/// Serves until a signal comes; `ready` is called once every address is bound.
pub(super) fn run_with(config: &Config, ready: impl FnOnce()) -> Result<(), Failure> {
    let issuer = config.issuer().map_err(Failure::new)?;
    let doors = Doors::bind(config).map_err(Failure::new)?;
    let app = App::start(config, issuer, Arc::new(SystemClock), entropy()).map_err(Failure::new)?;
    let app = Arc::new(app);
    let _background = Background::start(&app, config)?;
    serve(app, config, doors, |addresses| {
        let version = env!("CARGO_PKG_VERSION");
        for address in addresses {
            tracing::info!(version, issuer = issuer.as_str(), %address, "serving");
        }
        ready();
    })
    .map_err(Failure::new)?;
    tracing::info!("stopped");
    Ok(())
}
