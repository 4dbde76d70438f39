//! Opens a file: from bytes to the node of its YAML and the text of its body.

use super::{
    fault::{Fault, in_file},
    front_matter::{self, Split},
    node::Node,
    yaml,
};
use crate::domain::model::diagnostic::Diagnostic;

/// A markdown file.
#[derive(Debug, Clone, PartialEq)]
pub struct Markdown<'a> {
    /// The whole text, without byte order mark.
    pub text: &'a str,
    /// The front matter; `None` where there is none.
    pub head: Option<Node<'a>>,
    /// What follows the front matter.
    pub body: &'a str,
}

/// Opens a markdown file.
///
/// # Errors
/// The one fault that hides all others: not text, front matter not closed, not YAML.
pub fn open_markdown(bytes: &[u8]) -> Result<Markdown<'_>, Fault> {
    let text = front_matter::text(bytes)?;
    match front_matter::split(text)? {
        Split::Absent { body } => Ok(Markdown { text, head: None, body }),
        Split::Found(found) => {
            let head = Some(yaml::parse(found.yaml, found.yaml_line)?);
            Ok(Markdown { text, head, body: found.body })
        }
    }
}

/// Opens a YAML file: its text and its root.
///
/// # Errors
/// The one fault that hides all others: not text, not YAML.
pub fn open_yaml(bytes: &[u8]) -> Result<(&str, Node<'_>), Fault> {
    let text = front_matter::text(bytes)?;
    Ok((text, yaml::parse(text, 1)?))
}

/// Tells the one fault for which a file could not be opened.
pub fn refusal(fault: Fault, path: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    in_file(vec![fault], path, &String::from_utf8_lossy(bytes))
}
