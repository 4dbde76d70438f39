//! Diagnostics as JSON, for programs.
//!
//! | Field | Value |
//! |---|---|
//! | `code` | stable name of the rule, `unknown-dependency` |
//! | `severity` | `error`, `warning` or `note` |
//! | `message` | what is |
//! | `path` | the file, below the repository root, with `/` |
//! | `line`, `column` | one-based, counted in characters; `null` where the place is not known |
//! | `length` | characters from `column` on; `null` where the place is not known |
//! | `source` | the line, or `null` |
//! | `label` | a few words about the place, or `null` |
//! | `help` | what to do, or `null` |
//! | `related` | other places: objects with `path`, `line`, `column`, `length`, `source`, `label` |

use serde_json::{Value, json};

use crate::domain::model::diagnostic::{Diagnostic, Label, Severity, count};

/// Returns the JSON form of one diagnostic.
pub fn value(diagnostic: &Diagnostic) -> Value {
    let mut value = place(&diagnostic.primary);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("code".to_owned(), json!(diagnostic.code));
        fields.insert("severity".to_owned(), json!(diagnostic.severity.as_str()));
        fields.insert("message".to_owned(), json!(diagnostic.message));
        fields.insert("help".to_owned(), json!(diagnostic.help));
        fields.insert("related".to_owned(), diagnostic.related.iter().map(place).collect());
    }
    value
}

fn place(label: &Label) -> Value {
    let known = Some(label.span).filter(|span| span.is_known());
    json!({
        "path": label.path,
        "line": known.map(|span| span.line),
        "column": known.map(|span| span.column),
        "length": known.map(|span| span.length),
        "source": label.source,
        "label": Some(&label.text).filter(|text| !text.is_empty()),
    })
}

/// Returns what `orch check --json` prints: the counts, and every diagnostic.
pub fn report(diagnostics: &[Diagnostic], n_tasks: usize) -> Value {
    json!({
        "n_tasks": n_tasks,
        "n_errors": count(diagnostics, Severity::Error),
        "n_warnings": count(diagnostics, Severity::Warning),
        "diagnostics": diagnostics.iter().map(value).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::place::Span;
    use expect_test::expect;

    #[test]
    fn every_field_is_always_there() {
        let mut primary = Label::new("a.md", Span::new(4, 14, 7), "no task has this id");
        primary.source = Some("depends_on: [API-01O]".to_owned());
        let diagnostic = Diagnostic::error("unknown-dependency", "it does not exist", primary)
            .with_related(Label::new("b.md", Span::default(), ""));
        expect![[r#"
            {
              "code": "unknown-dependency",
              "column": 14,
              "help": null,
              "label": "no task has this id",
              "length": 7,
              "line": 4,
              "message": "it does not exist",
              "path": "a.md",
              "related": [
                {
                  "column": null,
                  "label": null,
                  "length": null,
                  "line": null,
                  "path": "b.md",
                  "source": null
                }
              ],
              "severity": "error",
              "source": "depends_on: [API-01O]"
            }
        "#]]
        .assert_eq(&format!("{:#}\n", value(&diagnostic)));
    }
}
