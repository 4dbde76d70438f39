//! The one test binary: house rules first, then what `orch` does seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test reports by panicking"
)]

mod agents;
mod architecture;
mod bad_input;
mod cli;
mod corpus;
mod edges;
mod edits;
#[cfg(target_os = "linux")]
mod faults;
mod fixtures;
mod hostile;
mod kill;
mod landing;
mod own;
mod properties;
mod references;
#[cfg(target_os = "linux")]
mod sandbox;
mod simulation;
mod source;
mod supervisor;
mod tidy;
mod tour;
mod trust;
mod watch;
