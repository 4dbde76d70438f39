//! What was approved, and what waits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fingerprint, Part, PartName, Why};

/// One line of what is kept of approvals; later lines go before earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A part was approved, and looked like this.
    Approved {
        /// Its name, as it is shown.
        part: String,
        /// Its content.
        fingerprint: Fingerprint,
        /// The same in words.
        lines: Vec<String>,
    },
    /// A part waits, where the plan was looked at.
    Waits {
        /// Its name, as it is shown.
        part: String,
        /// Why; `None` where it does not any more.
        why: Option<Why>,
    },
    /// Which commit was checked out when all parts were looked at.
    Head(String),
    /// Nothing that stands before it counts.
    Revoked,
}

impl Line {
    /// Returns the line by which a part waits, or does not any more.
    pub fn waits(part: &PartName, why: Option<Why>) -> Self {
        Self::Waits { part: part.to_string(), why }
    }
}

/// What is known of approvals of one plan, as it was looked at in one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    approved: BTreeSet<Fingerprint>,
    /// What a part looked like when it was approved last.
    words: BTreeMap<String, Vec<String>>,
    waiting: BTreeMap<String, Why>,
    head: Option<String>,
}

impl Book {
    /// Takes in one more line.
    pub fn note(&mut self, line: Line) {
        match line {
            Line::Approved { part, fingerprint, lines } => {
                self.approved.insert(fingerprint);
                self.words.insert(part, lines);
            }
            Line::Waits { part, why: Some(why) } => drop(self.waiting.insert(part, why)),
            Line::Waits { part, why: None } => drop(self.waiting.remove(&part)),
            Line::Head(head) => self.head = Some(head),
            Line::Revoked => *self = Self::default(),
        }
    }

    /// Says whether anything was ever approved.
    pub fn is_known(&self) -> bool {
        !self.approved.is_empty()
    }

    /// Says whether this very content was approved.
    pub fn is_approved(&self, fingerprint: Fingerprint) -> bool {
        self.approved.contains(&fingerprint)
    }

    /// Says why a part waits, as far as that was noted.
    pub fn waiting(&self, name: &PartName) -> Option<Why> {
        self.waiting.get(&name.to_string()).copied()
    }

    /// Returns all that waits, as far as that was noted.
    pub fn all_waiting(&self) -> impl Iterator<Item = (PartName, Why)> {
        self.waiting.iter().filter_map(|(name, why)| Some((PartName::parse(name)?, *why)))
    }

    /// Returns what a part looked like when it was approved last.
    pub fn words(&self, name: &PartName) -> Option<&[String]> {
        self.words.get(&name.to_string()).map(Vec::as_slice)
    }

    /// Returns the commit that was checked out at the last look.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// Returns the number of approvals.
    pub fn n_approved(&self) -> usize {
        self.approved.len()
    }

    /// Returns the line by which `part` is approved.
    pub fn approval(part: &Part) -> Line {
        Line::Approved {
            part: part.name.to_string(),
            fingerprint: part.fingerprint,
            lines: part.lines.clone(),
        }
    }
}
