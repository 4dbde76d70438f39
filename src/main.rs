//! The program `orch`: hands the command line to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    orch::serve_if_asked().unwrap_or_else(|| orch::ui::cli::main(std::env::args_os()))
}
