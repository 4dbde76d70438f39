//! What is read from the body of a task: its first heading, its checkboxes, its verify command.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::domain::model::{
    limits::MARKDOWN_BYTES_MAX,
    task::{CommandLine, Criteria},
};

/// What the body of a task says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskBody {
    /// The first heading, as plain text.
    pub title: Option<String>,
    /// Checkboxes under *Acceptance criteria*.
    pub criteria: Criteria,
    /// The first shell block under *Verification*: one script.
    pub verification: Option<CommandLine>,
}

/// Returns as much of `body` as is looked at: more would take too much time and memory.
pub fn looked_at(body: &str) -> &str {
    let ends = (0..=MARKDOWN_BYTES_MAX.min(body.len())).rev();
    ends.take(4).find_map(|end| body.get(..end)).unwrap_or_default()
}

/// Returns the first heading of `body` as plain text, and looks no further.
pub fn title(body: &str) -> Option<String> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(looked_at(body), Options::ENABLE_TASKLISTS) {
        reader.take(event);
        if reader.found.title.is_some() {
            break;
        }
    }
    reader.found.title
}

/// Reads the whole of `body`.
pub fn parse(body: &str) -> TaskBody {
    let mut reader = Reader::default();
    for event in Parser::new_ext(looked_at(body), Options::ENABLE_TASKLISTS) {
        reader.take(event);
    }
    reader.found
}

/// The sections that mean something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Criteria,
    Verification,
}

#[derive(Default)]
struct Reader {
    found: TaskBody,
    /// The open section and the level of its heading.
    section: Option<(Section, HeadingLevel)>,
    /// The text of the heading that is being read.
    heading: Option<String>,
    /// The text of the shell block that is being read.
    script: Option<String>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => {
                if let Some(open) = self.heading.as_mut().or(self.script.as_mut()) {
                    open.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut self.heading {
                    heading.push(' ');
                }
            }
            Event::TaskListMarker(is_checked) => self.count(is_checked),
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::Rule => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        if let Tag::Heading { level, .. } = tag {
            self.heading = Some(String::new());
            if self.section.is_some_and(|(_, open)| *level <= open) {
                self.section = None;
            }
        }
        if let Tag::CodeBlock(CodeBlockKind::Fenced(info)) = tag
            && matches!(self.section, Some((Section::Verification, _)))
            && self.found.verification.is_none()
            && is_shell(info)
        {
            self.script = Some(String::new());
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if let TagEnd::Heading(level) = tag {
            let heading = self.heading.take().unwrap_or_default();
            let heading = heading.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(section) = section_of(&heading) {
                self.section = Some((section, level));
            }
            if self.found.title.is_none() && !heading.is_empty() {
                self.found.title = Some(heading);
            }
        }
        if tag == TagEnd::CodeBlock {
            let script = self.script.take().map(|script| script.trim().to_owned());
            let script = script.filter(|script| !script.is_empty()).map(CommandLine::Text);
            self.found.verification = self.found.verification.take().or(script);
        }
    }

    fn count(&mut self, is_checked: bool) {
        if matches!(self.section, Some((Section::Criteria, _))) {
            let criteria = &mut self.found.criteria;
            criteria.total = criteria.total.saturating_add(1);
            criteria.checked = criteria.checked.saturating_add(u32::from(is_checked));
        }
    }
}

fn section_of(heading: &str) -> Option<Section> {
    let name = heading.trim_end_matches(':');
    if name.eq_ignore_ascii_case("acceptance criteria") {
        Some(Section::Criteria)
    } else if name.eq_ignore_ascii_case("verification") {
        Some(Section::Verification)
    } else {
        None
    }
}

/// Says whether the words after a fence name a shell, or nothing.
fn is_shell(info: &str) -> bool {
    let language = info.split([' ', ',', '{']).next().unwrap_or_default();
    matches!(language, "" | "bash" | "sh" | "shell" | "zsh")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> String {
        let found = parse(body);
        let Criteria { total, checked } = found.criteria;
        let script = found.verification.map(|script| script.to_string());
        format!("{:?} {checked}/{total} {script:?}", found.title.unwrap_or_default())
    }

    #[test]
    fn bodies_say_title_criteria_and_verification() {
        let table = [
            ("", r#""" 0/0 None"#),
            ("Text\n\n## Rate *limiting* with `x`\n", r#""Rate limiting with x" 0/0 None"#),
            (
                "# T\n## Acceptance Criteria\n- [ ] a\n- [x] b\n### More\n- [X] c\n## Out\n- [x] d\n",
                r#""T" 2/3 None"#,
            ),
            ("```\n- [ ] a\n# no\n```\n- [ ] b\n", r#""" 0/0 None"#),
            (
                "# Verification\n```go\nx\n```\n~~~bash title=a\ncargo test \\\n  -p x\nls\n~~~\n```\ny\n```\n",
                r#""Verification" 0/0 Some("cargo test \\\n  -p x\nls")"#,
            ),
            ("# A\n```sh\nrm\n```\n## verification:\n# B\n```sh\nx\n```\n", r#""A" 0/0 None"#),
            ("Setext\n===\n", r#""Setext" 0/0 None"#),
        ];
        for (body, expected) in table {
            assert_eq!(told(body), expected, "{body:?}");
        }
        assert_eq!(title("x\n\n# One\n# Two\n").as_deref(), Some("One"));
    }

    #[test]
    fn what_is_too_far_below_is_not_looked_at() {
        let near = format!("{}\n\n# Title", "ä".repeat(MARKDOWN_BYTES_MAX / 2 - 5));
        assert_eq!(title(&near).as_deref(), Some("Title"));
        assert_eq!(looked_at(&near), near);
        assert_eq!(title(&format!("ää{near}")).as_deref(), Some("Ti"));
        assert_eq!(title(&format!("{near}\n{near}")).as_deref(), Some("Title"));
        let odd = format!("a{}", "ä".repeat(MARKDOWN_BYTES_MAX));
        assert_eq!(looked_at(&odd).len(), MARKDOWN_BYTES_MAX - 1);
    }
}
