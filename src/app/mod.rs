//! Floor 3: carries out. Gathers facts from `io`, asks `domain` what they mean, does what it says.

pub mod coordinator;
pub mod error;
pub mod repository;
pub mod running;
pub mod snapshot;
pub mod standing;
pub mod use_case;
pub mod view;
