//! orch
pub mod domain;

pub mod io;
