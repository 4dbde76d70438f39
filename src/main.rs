//! The program `orch`: hands the command line to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    orch::ui::cli::main(std::env::args_os())
}
