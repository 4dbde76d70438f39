//! Floor 1: decides. Pure and deterministic: no files, clock, randomness, threads or processes.
#![deny(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

// In reading order, bottom to top.
pub mod model;

pub mod format;

pub mod agent;

pub mod host;

pub mod sandbox;

pub mod plan;

pub mod scheduler;

pub mod forecast;

pub mod calibrate;

pub mod occasion;

pub mod settle;

pub mod standstill;
pub mod trust;
