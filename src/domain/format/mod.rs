//! Text to model and back, with places: every file format has its home here, and no file is read.
//!
//! A reader never fails: it returns what it could make of the text, and diagnostics for the rest.
//! Front matter goes through `front_matter` (where it is), `scan` or `yaml` (what it holds, as
//! [`node::Node`]s) and `decode` (what it means). Nothing here opens a file or looks at the plan
//! as a whole.

// Where things are.
pub mod layout;

// From bytes to nodes.
pub mod fault;
pub mod front_matter;
pub mod node;
pub mod scan;
pub mod yaml;

// From nodes to values.
pub mod choice;
pub mod command;
pub mod decode;
pub mod document;
pub mod field;
pub mod hook;
pub mod number;
pub mod own_file;
pub mod parts;
pub mod place;
pub mod sandbox;
pub mod value;

// One file per format.
pub mod config_file;
mod conflict;
pub mod event_file;
pub mod milestone;
pub mod role_file;
pub mod run_record;
pub mod status_file;
pub mod task_body;
pub mod task_file;

// Back to text.
pub mod edit;
pub mod render;
pub mod schema;
pub mod status_edit;
pub mod template;

#[cfg(test)]
mod hostile;
