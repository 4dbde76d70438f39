//! Floor 4: shows and asks.

pub mod cli;
pub mod live;
pub mod output;
