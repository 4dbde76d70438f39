//! Floor 4: shows and asks.

pub mod output;
