//! One test binary: everything that needs more than one function to be tested.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod edges;
