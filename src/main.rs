//! The program: everything it does is in `countersign::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::cli::main()
}
