//! View → text, one file per format.
//!
//! Everything here returns text or JSON values; nothing prints. Text that people or workers wrote
//! goes through [`escape`] before it reaches a terminal.

pub mod change;
pub mod clean;
pub mod conflicts;
pub mod diagnostic;
pub mod diagnostic_json;
pub mod diff;
pub mod doctor;
pub mod escape;
pub mod explain;
pub mod figures;
pub mod gates;
pub mod github;
pub mod graph;
pub mod history;
pub mod json;
mod landing;
pub mod list;
pub mod log;
pub mod markdown;
mod pauses;
pub mod plan;
pub mod pr;
pub mod run;
pub mod sarif;
pub mod show;
pub mod state;
pub mod status;
pub mod summary;
pub mod table;
pub mod trust;

/// How text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether colors and other terminal attributes are wanted.
    pub is_colored: bool,
}

impl Style {
    /// Returns `text` with `look`, or as it is where no colors are wanted.
    pub fn paint(self, look: anstyle::Style, text: &str) -> String {
        if self.is_colored && !text.is_empty() {
            format!("{look}{text}{look:#}")
        } else {
            text.to_owned()
        }
    }
}
