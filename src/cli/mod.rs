//! The command line: `serve` and what an operator does beside it, one file each.
//!
//! Every command reads the same configuration, says what it did on standard output (`--json`: as one JSON document), and
//! says what went wrong on standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

mod check;
mod client;
mod client_openid;
mod client_said;
mod demo;
mod key;
mod migrate;
mod output;
mod person;
mod registration;
mod resource;
mod role;
mod secrets;
mod serve;
mod setup;
mod span;
mod stats;
mod token;
mod user;
mod user_applications;
mod user_sessions;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Failure, Output};
use setup::Setup;

/// An OAuth 2 and OpenID Connect authorization server.
#[derive(Parser)]
#[command(name = "countersign", version, propagate_version = true)]
struct Arguments {
    /// The configuration file. Left out: $COUNTERSIGN_CONFIG, else countersign.toml here if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer with one JSON document, for scripts.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve,
    /// Say what is wrong with the configuration and its surroundings.
    Check,
    /// Bring the database's tables up to date.
    Migrate(migrate::Arguments),
    /// Say how many rows each table has, how many wait for the sweeper, and what the database takes on disk.
    Stats,
    /// Run everything at once, to try it out: server, single-page app, web app, resource server.
    Demo(demo::Arguments),
    /// Clients: applications that get tokens.
    #[command(subcommand)]
    Client(client::Command),
    /// Resource servers: APIs that take tokens.
    #[command(subcommand)]
    Resource(resource::Command),
    /// Users, their passwords and roles.
    #[command(subcommand)]
    User(user::Command),
    /// API tokens: what scripts of users and service accounts show.
    #[command(subcommand)]
    Token(token::Command),
    /// Clients that register themselves, and the tokens that let them.
    #[command(subcommand)]
    Registration(registration::Command),
    /// Roles, which go into tokens.
    #[command(subcommand)]
    Role(role::Command),
    /// Signing keys and the master key that seals them.
    #[command(subcommand)]
    Key(key::Command),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match run(arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let setup = Setup::new(arguments.config, !arguments.json);
    match arguments.command {
        Command::Serve => serve::run(&setup),
        Command::Check => check::run(&setup, output),
        Command::Migrate(arguments) => migrate::run(&setup, output, &arguments),
        Command::Stats => stats::run(&setup, output),
        Command::Demo(arguments) => demo::run(*output, &arguments),
        Command::Client(command) => client::run(&setup, output, command),
        Command::Resource(command) => resource::run(&setup, output, command),
        Command::User(command) => user::run(&setup, output, command),
        Command::Token(command) => token::run(&setup, output, command),
        Command::Registration(command) => registration::run(&setup, output, command),
        Command::Role(command) => role::run(&setup, output, command),
        Command::Key(command) => key::run(&setup, output, command),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn unexplained(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_about().is_none() {
            found.push(path.clone());
        }
        for argument in command.get_arguments().filter(|a| a.get_help().is_none()) {
            found.push(format!("{path} {}", argument.get_id()));
        }
        command.get_subcommands().for_each(|sub| unexplained(sub, &path, found));
    }

    #[test]
    fn help_explains_every_command_and_every_argument() {
        let mut command = Arguments::command();
        command.build();
        let mut found = Vec::new();
        unexplained(&command, "", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
