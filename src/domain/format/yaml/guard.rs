//! Looks at a text before the full parser does, and refuses what would cost it too much.

use crate::domain::{
    format::fault::Fault,
    model::{
        limits::{FRONT_MATTER_BYTES_MAX, YAML_ALIASES_MAX, YAML_DEPTH_MAX},
        place::Span,
    },
};

/// Most `[` and `{` in one document: the parser needs time that grows with the square of the
/// nesting, and quotes could hide closing brackets from a simple count.
const OPENINGS_MAX: usize = 2_000;

/// Refuses what would cost the parser more than a file of a person can be worth.
pub(super) fn check(text: &str, first_line: u32) -> Result<(), Fault> {
    let start = Span::new(first_line, 1, 0);
    if text.len() > FRONT_MATTER_BYTES_MAX {
        let message = format!("{} bytes of YAML, more than {FRONT_MATTER_BYTES_MAX}", text.len());
        return Err(Fault::error("yaml-too-large", start, message).with_help("make it shorter"));
    }
    let mut load = Load::default();
    for (number, line) in (first_line..).zip(text.lines()) {
        load.start_line();
        for (at, b) in line.bytes().enumerate() {
            load.add(b);
            if let Some((code, message, help)) = load.excess() {
                let before = line.get(..at).map_or(at, |before| before.chars().count());
                let column = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
                return Err(
                    Fault::error(code, Span::new(number, column, 1), message).with_help(help)
                );
            }
        }
    }
    Ok(())
}

/// What was counted so far. Nothing is excepted, not even in quotes: the true load is never larger.
#[derive(Default)]
struct Load {
    /// Brackets that are open, as far as a plain count can tell.
    depth: usize,
    n_openings: usize,
    n_aliases: usize,
    /// `- ` and `? ` on this line: each may open a list or a mapping.
    n_markers: usize,
    before: u8,
}

impl Load {
    fn start_line(&mut self) {
        (self.n_markers, self.before) = (0, b' ');
    }

    fn add(&mut self, b: u8) {
        match b {
            b'[' | b'{' => (self.depth, self.n_openings) = (self.depth + 1, self.n_openings + 1),
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b'*' if b" ,[{:".contains(&self.before) => self.n_aliases += 1,
            b'-' | b'?' if self.before == b' ' => self.n_markers += 1,
            _ => {}
        }
        self.before = b;
    }

    /// Says what there is too much of: rule, message, help.
    fn excess(&self) -> Option<(&'static str, String, &'static str)> {
        if self.depth > YAML_DEPTH_MAX || self.n_markers > OPENINGS_MAX {
            let message = format!("lists and mappings are nested deeper than {YAML_DEPTH_MAX}");
            Some(("yaml-too-deep", message, "close the brackets, or put the text in quotes"))
        } else if self.n_openings > OPENINGS_MAX {
            let message = format!("more than {OPENINGS_MAX} brackets");
            Some(("yaml-too-deep", message, "move the long text into the body"))
        } else if self.n_aliases > YAML_ALIASES_MAX {
            let message = format!("more than {YAML_ALIASES_MAX} aliases");
            Some(("yaml-aliases", message, "write the values out"))
        } else {
            None
        }
    }
}
