//! Diagnostics as GitHub workflow commands: they become annotations on the lines of a pull request.

use super::escape::{clean, clean_line};
use crate::domain::model::diagnostic::{Diagnostic, Severity};

/// Renders one workflow command per line.
pub fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| command(diagnostic) + "\n").collect()
}

fn command(diagnostic: &Diagnostic) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let span = diagnostic.primary.span;
    let mut properties = format!("file={}", property(&diagnostic.primary.path));
    if span.is_known() {
        properties = format!("{properties},line={},col={}", span.line, span.column);
        if span.length > 0 {
            properties =
                format!("{properties},endColumn={}", span.column.saturating_add(span.length));
        }
    }
    properties = format!("{properties},title={}", property(diagnostic.code));
    let mut text = vec![diagnostic.message.clone()];
    for label in &diagnostic.related {
        let place = if label.span.is_known() {
            format!("{}:{}:{}", label.path, label.span.line, label.span.column)
        } else {
            label.path.clone()
        };
        text.push(format!("{place}: {}", label.text));
    }
    text.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    format!("::{kind} {properties}::{}", message(&text.join("\n")))
}

/// Escapes the text of a command.
fn message(text: &str) -> String {
    clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    message(&clean_line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{diagnostic::Label, place::Span};
    use expect_test::expect;

    #[test]
    fn commands_are_escaped_as_the_runner_wants_them() {
        let all = [
            Diagnostic::error(
                "unknown-dependency",
                "task `a` is 100% lost",
                Label::new(".orch/tasks/a,b:c.md", Span::new(4, 14, 7), "not shown"),
            )
            .with_related(Label::new("b.md", Span::new(1, 2, 3), "first used here"))
            .with_related(Label::new("c.md", Span::default(), "also"))
            .with_help("did you mean `b`?"),
            Diagnostic::warning(
                "x",
                "a\u{1b}\r\n::error::b",
                Label::new("a.md", Span::new(1, 1, 0), ""),
            ),
            Diagnostic::note("y", "n", Label::new("a.md", Span::default(), "")),
        ];
        expect![[r#"
            ::error file=.orch/tasks/a%2Cb%3Ac.md,line=4,col=14,endColumn=21,title=unknown-dependency::task `a` is 100%25 lost%0Ab.md:1:2: first used here%0Ac.md: also%0Ahelp: did you mean `b`?
            ::warning file=a.md,line=1,col=1,title=x::a\x1b\r%0A::error::b
            ::notice file=a.md,title=y::n
        "#]].assert_eq(&render(&all));
        assert_eq!(render(&[]), "");
    }
}
