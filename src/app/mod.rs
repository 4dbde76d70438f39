//! Floor 3: carries out. Gathers facts from `io`, asks `domain` what they mean, does what it says.

pub mod approval;
pub mod coordinator;
pub mod error;
mod files;
mod notices;
mod own_settings;
pub mod repository;
pub mod running;
mod sandbox;
pub mod snapshot;
pub mod standing;
mod standing_claims;
mod standing_landings;
mod supervised;
mod tracker;
pub mod use_case;
pub mod view;
