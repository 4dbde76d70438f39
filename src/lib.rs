#![doc = include_str!("ARCHITECTURE.md")]

// The floors, top to bottom; each uses only those below it.
pub mod ui;

pub mod app;

pub mod io;

pub mod domain;

pub use app::{
    error::AppError,
    repository::Repository,
    running::{Picture, Request, Run, RunOptions, StopMode, WhenIdle, serve_if_asked},
    use_case::check::Checked,
    view::{
        plan::PlanView,
        run::{Happened, RunEvent, Summary},
        status::StatusView,
    },
};
