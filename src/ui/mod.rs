//! Floor 4: shows and asks.

pub mod cli;
pub mod output;
