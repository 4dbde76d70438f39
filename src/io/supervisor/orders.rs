//! Orders, as they come in.

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::unix::pipe,
};

use super::wire::Order;

/// Longest order; a longer one is none.
const ORDER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where orders come from, until their sender is gone.
pub(super) struct Orders {
    pub(super) reader: Option<BufReader<pipe::Receiver>>,
    pub(super) line: Vec<u8>,
}

impl Orders {
    /// Returns the next order; `None` once, where no more can come, and nothing ever after.
    pub(super) async fn next(&mut self) -> Option<Order> {
        loop {
            let Some(reader) = &mut self.reader else { return std::future::pending().await };
            // What was read of a line stays in it when this is cancelled.
            let n = reader.read_until(b'\n', &mut self.line).await;
            let is_whole = self.line.last() == Some(&b'\n');
            if n.is_err() || !is_whole || self.line.len() as u64 > ORDER_BYTES_MAX {
                self.reader = None;
                return None;
            }
            let order = Order::parse(&self.line);
            self.line.clear();
            if order.is_some() {
                return order;
            }
        }
    }
}
