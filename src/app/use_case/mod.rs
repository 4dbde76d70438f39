//! One file per thing that a user can ask for; each returns a view and prints nothing.

pub mod check;
pub mod demo;
pub mod explain;
pub mod graph;
pub mod list;
pub mod logs;
pub mod plan;
pub mod show;
pub mod status;
