//! `countersign demo`: the server, a single-page app, a web app and a resource server, with a made-up user. Everything it
//! makes lies in one folder.

mod programs;
mod world;

use std::path::PathBuf;

use super::output::{Failure, Output, note};
use super::serve;
use super::setup::{Setup, log};

use programs::Programs;
use world::World;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where everything is kept; made when it is missing.
    #[arg(long, default_value = "demo-data")]
    folder: PathBuf,
    /// The first of four ports in a row: server, single-page app, resource server, web app.
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: u16,
    /// Where the demo applications are. Left out: in `examples` beside this program.
    #[arg(long, value_name = "FOLDER")]
    examples: Option<PathBuf>,
}

pub(super) fn run(output: Output, arguments: &Arguments) -> Result<(), Failure> {
    let world = World::make(&arguments.folder, arguments.port)?;
    let setup = Setup::at(&world.config_file());
    let config = setup.config()?;
    log(&config);
    world.add_user(&setup)?;
    let examples = match &arguments.examples {
        Some(folder) => folder.clone(),
        None => std::env::current_exe()?.parent().map(|folder| folder.join("examples")).unwrap_or_default(),
    };
    let programs = Programs::start(&examples, &world)?;
    let (told, json) = (world.told(programs.are_all_there()), world.as_json());
    let addresses = programs.addresses();
    serve::run_with(&config, move || {
        // Beside the server, which is to answer meanwhile.
        std::thread::spawn(move || match programs::wait_for(&addresses) {
            Ok(()) => output.say(&[told], &json),
            Err(failure) => failure.0.iter().for_each(note),
        });
    })?;
    drop(programs);
    Ok(())
}
