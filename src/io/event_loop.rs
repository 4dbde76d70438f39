//! Builds the event loop of a thread.

use std::{io, os::unix::net::UnixStream};

use tokio::runtime::{Builder, Runtime};

/// How many pairs of descriptors an event loop needs at its start, and some to spare.
const PAIRS: usize = 4;

/// Builds an event loop for this thread.
///
/// # Errors
/// What the system refuses, a lack of descriptors included: of those that it takes one by one,
/// the library would demand some with a panic.
pub fn build() -> io::Result<Runtime> {
    let room: Vec<_> = (0..PAIRS).map(|_| UnixStream::pair()).collect::<io::Result<_>>()?;
    drop(room);
    Builder::new_current_thread().enable_all().build()
}
