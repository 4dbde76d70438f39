//! Where a key of a file stands, for whoever says where a command comes from.

use super::{
    document::{open_markdown, open_yaml},
    node::{Kind, Node},
};

/// Returns the line of the key that `keys` lead to, outermost first, in a markdown file (`.md`) or
/// a YAML file; `None` where there is none.
pub fn line_of(path: &str, bytes: &[u8], keys: &[&str]) -> Option<u32> {
    if std::path::Path::new(path).extension().is_some_and(|ending| ending == "md") {
        return line_in(&open_markdown(bytes).ok()?.head?, keys);
    }
    line_in(&open_yaml(bytes).ok()?.1, keys)
}

fn line_in(node: &Node<'_>, keys: &[&str]) -> Option<u32> {
    let (first, rest) = keys.split_first()?;
    let Kind::Mapping(entries) = &node.kind else { return None };
    let entry = entries.iter().find(|entry| entry.key.as_text() == Some(first))?;
    match rest {
        [] => Some(entry.key.span.line).filter(|line| *line > 0),
        rest => line_in(&entry.value, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let task =
            "---\nid: a\n# words\nworker:\n  env: {A: b}\n  command: ./x\n---\ncommand: no\n";
        let settings = "hooks: {done: x}\nlevels:\n  1:\n    gate: y\n";
        let table: [(&str, &str, &[&str], Option<u32>); 7] = [
            ("a.md", task, &["worker", "command"], Some(6)),
            ("a.md", task, &["worker", "env", "A"], Some(5)),
            ("a.md", task, &["worker", "agent"], None),
            ("a.md", "no front matter\n", &["id"], None),
            ("c.yaml", settings, &["hooks", "done"], Some(1)),
            ("c.yaml", settings, &["levels", "1", "gate"], Some(4)),
            ("c.yaml", "[", &["levels"], None),
        ];
        for (path, text, keys, expected) in table {
            assert_eq!(line_of(path, text.as_bytes(), keys), expected, "{path} {keys:?}");
        }
    }
}
