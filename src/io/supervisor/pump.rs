//! The way from the pipe of a worker into its log.

use std::{cell::RefCell, io, sync::Arc, time::Duration};

use tokio::{
    net::unix::pipe,
    sync::{Notify, mpsc},
    time::sleep,
};

use super::output::{self, Output};

/// How much is read from a pipe at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Time between two tries to write a log while the disk is full.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// What the output of a worker said.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Whether the text that was looked for stood in it.
    pub(super) has_signal: bool,
}

thread_local! {
    /// What is read goes through here: one for all pipes, so that many of them need little memory.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK_BYTES]);
}

/// Carries what a worker writes into its log, until its pipe runs dry or is given up.
pub(super) async fn pump(
    which: u64,
    reader: pipe::Receiver,
    mut output: Output,
    give_up: Arc<Notify>,
    on_dry: mpsc::UnboundedSender<(u64, Said)>,
) {
    loop {
        tokio::select! {
            biased;
            ready = reader.readable() => if ready.is_err() { break },
            () = give_up.notified() => break,
        }
        let read = BUFFER.with_borrow_mut(|buffer| {
            let n = reader.try_read(buffer)?;
            output.push(buffer.get(..n).unwrap_or_default());
            Ok::<usize, io::Error>(n)
        });
        match read {
            Ok(0) => break,
            Ok(_) => flush(&mut output).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    output.close();
    flush(&mut output).await;
    let said = Said { has_signal: output.has_signal() };
    if on_dry.send((which, said)).is_err() {
        tracing::debug!("a pipe ran dry after the end");
    }
}

/// Writes what came. While the disk is full the worker waits, as its pipe fills; what cannot be
/// written at all is dropped, so that the worker goes on.
async fn flush(output: &mut Output) {
    while let Err(error) = output.flush() {
        if !output::is_passing(&error) {
            output.give_up();
            return;
        }
        sleep(FULL_PAUSE).await;
    }
}
