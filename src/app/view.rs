//! Plain structs with public fields: what every face shows, and what `--json` prints.
//!
//! The names of the fields are part of what users rely on: they are only added to.

pub mod run;
pub mod write;
