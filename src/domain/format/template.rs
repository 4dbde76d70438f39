//! A new task file, made from a template.

use super::{
    edit::{EditFault, set_key, set_yaml},
    fault::is_hidden,
    front_matter::{self, Split},
    render,
};
use crate::domain::model::id::{RoleName, TaskId};

/// Stands in a template for the id of the new task.
const ID: &str = "{{id}}";

/// Stands in the body of a template for the title of the new task.
const TITLE: &str = "{{title}}";

/// What is said of a new task beside its id. What is not said stays as the template has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTask {
    /// What it is about.
    pub title: String,
    /// Who works on it.
    pub role: Option<RoleName>,
    /// What must be done first.
    pub depends_on: Vec<TaskId>,
    /// Its priority, as typed.
    pub priority: Option<String>,
    /// Its estimate, as typed.
    pub estimate: Option<String>,
    /// The target that it belongs to.
    pub milestone: Option<String>,
    /// Its level, as typed.
    pub level: Option<String>,
}

/// Returns `title` as it stands in a file: on one line, without characters that cannot be seen.
pub fn one_line(title: &str) -> String {
    // Two hidden characters join letters and emojis.
    let is_odd = |c: char| is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}');
    let visible: String = title.chars().map(|c| if is_odd(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the text of a new task file.
///
/// # Errors
/// Where a key of the template cannot be set; see [`EditFault`].
pub fn fill(template: &str, id: &TaskId, task: &NewTask) -> Result<String, EditFault> {
    let title = one_line(&task.title);
    let mut text = with_front_matter(&template.replace(ID, id.as_str()));
    text = set_key(&text, "title", &title)?;
    if text.lines().any(|line| line.starts_with("id:")) {
        text = set_key(&text, "id", id.as_str())?;
    }
    if let Some(role) = &task.role {
        text = set_key(&text, "role", &role.0)?;
    }
    if !task.depends_on.is_empty() {
        let ids: Vec<String> = task.depends_on.iter().map(|id| render::text(id.as_str())).collect();
        text = set_yaml(&text, "depends_on", &format!("[{}]", ids.join(", ")))?;
    }
    if let Some(milestone) = &task.milestone {
        text = set_key(&text, "milestone", milestone)?;
    }
    let typed =
        [("priority", &task.priority), ("estimate", &task.estimate), ("level", &task.level)];
    for (key, value) in typed {
        if let Some(value) = value {
            text = set_typed(&text, key, value)?;
        }
    }
    Ok(with_title(text, &title))
}

/// Sets a key to what was typed: as it is where that cannot be mistaken, quoted otherwise.
fn set_typed(text: &str, key: &str, value: &str) -> Result<String, EditFault> {
    let word = value.strip_prefix('-').unwrap_or(value);
    let is_bare = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_bare { set_yaml(text, key, value) } else { set_key(text, key, value) }
}

fn with_front_matter(template: &str) -> String {
    let text = template.trim_start_matches('\u{feff}');
    match front_matter::split(text) {
        Ok(Split::Absent { body }) => format!("---\n---\n{body}"),
        Ok(Split::Found(_)) | Err(_) => text.to_owned(),
    }
}

/// Writes the title where the body asks for it.
fn with_title(text: String, title: &str) -> String {
    let body_bytes = match front_matter::split(&text) {
        Ok(Split::Found(found)) => found.body.len(),
        Ok(Split::Absent { .. }) | Err(_) => return text,
    };
    let (head, body) = text.split_at(text.len() - body_bytes);
    [head, &body.replace(TITLE, title)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::task_file::{self, Reading};

    const BUILT_IN: &str = include_str!("../../../templates/task.md");

    fn titled(title: &str) -> NewTask {
        NewTask { title: title.to_owned(), ..NewTask::default() }
    }

    #[test]
    fn every_title_is_read_back() {
        let table = [
            ("Rate limiting", "Rate limiting"),
            ("  two\nlines\tand  more ", "two lines and more"),
            ("it's \"quoted\": `x` # y", "it's \"quoted\": `x` # y"),
            ("- [ ] a list?", "- [ ] a list?"),
            ("{{title}} {{id}}", "{{title}} {{id}}"),
            ("yes", "yes"),
            ("007", "007"),
            ("---", "---"),
            ("\\ back \u{1b}[31mred\u{202e}", "\\ back [31mred"),
            ("größe 漢字 👩‍🚀", "größe 漢字 👩‍🚀"),
            ("&a *b !c %d @e |f >g", "&a *b !c %d @e |f >g"),
        ];
        let id = TaskId::parse("A-1").unwrap();
        for (title, expected) in table {
            let text = fill(BUILT_IN, &id, &titled(title)).unwrap();
            let file = task_file::parse(".orch/tasks/A-1.md", text.as_bytes(), Reading::Whole);
            assert_eq!(file.diagnostics, [], "{text}");
            let spec = file.spec.unwrap();
            assert_eq!((spec.title.as_str(), spec.criteria.total), (expected, 1), "{text}");
        }
    }

    #[test]
    fn all_that_is_said_stands_in_the_file() {
        let id = TaskId::parse("1e3").unwrap();
        let task = NewTask {
            role: Some(RoleName("on".to_owned())),
            depends_on: vec![TaskId::parse("A-1").unwrap(), TaskId::parse("12").unwrap()],
            priority: Some("7".to_owned()),
            estimate: Some("1h 30m".to_owned()),
            milestone: Some("beta: 2".to_owned()),
            level: Some("3".to_owned()),
            ..titled("All")
        };
        let own = "# {{title}} ({{id}})\n";
        expect_test::expect![[r#"
            ---
            title: All
            role: "on"
            depends_on: [A-1, "12"]
            milestone: "beta: 2"
            priority: 7
            estimate: "1h 30m"
            level: 3
            ---
            # All (1e3)
        "#]]
        .assert_eq(&fill(own, &id, &task).unwrap());
        let fault = fill("---\ndepends_on:\n  - x\n---\n", &id, &task).unwrap_err();
        assert_eq!(fault, EditFault::NotOneLine("depends_on".to_owned()));
    }
}
