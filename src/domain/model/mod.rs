//! What things are: plain values without serde, without files, without behaviour over time.

pub mod agent;
pub mod attempt;
pub mod ceiling;
pub mod claim;
pub mod command;
pub mod commit;
pub mod config;
pub mod diagnostic;
pub mod glob;
pub mod hidden;
pub mod hook;
pub mod id;
pub mod landing;
pub mod limits;
pub mod milestone;
pub mod next_id;
pub mod outcome;
pub mod outside;
pub mod place;
pub mod remote;
pub mod sandbox;
pub mod secret;
pub mod suggest;
pub mod task;
pub mod time;
pub mod usage;
