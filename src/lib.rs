//! orch
pub mod domain;
