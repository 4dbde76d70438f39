//! orch
pub mod domain;

pub mod io;

pub mod app;
