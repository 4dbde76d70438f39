//! One file per thing that a user can ask for; each returns a view and prints nothing.

pub mod approve;
mod at_work;
pub mod branch;
pub mod cancel;
pub mod change;
pub mod check;
pub mod clean;
pub mod conflicts;
pub mod demo;
pub mod detach;
pub mod doctor;
pub mod event;
pub mod explain;
pub mod graph;
pub mod hold;
pub mod init;
pub mod list;
pub mod log;
pub mod logs;
pub mod new;
pub mod plan;
pub mod report;
pub mod retry;
pub mod show;
pub mod status;
pub mod stop;
pub mod wait;
