//! Plain structs with public fields: what every face shows, and what `--json` prints.
//!
//! The names of the fields are part of what users rely on: they are only added to.

mod announced;
pub mod attempt;
pub mod board;
pub mod change;
pub mod clean;
pub mod conflicts;
pub mod diff;
pub mod doctor;
pub mod event;
pub mod explain;
pub mod graph;
pub mod hook;
pub mod list;
pub mod live;
pub mod log;
pub mod logs;
pub mod plan;
pub mod pr;
pub mod run;
pub mod sandbox;
pub mod show;
pub mod status;
pub mod summary;
pub mod trust;
pub mod wait;
pub mod watching;
pub mod write;
