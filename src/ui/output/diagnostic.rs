//! The look of diagnostics on a terminal: code, place, source line, caret, help.

use anstyle::{AnsiColor, Effects};
use unicode_width::UnicodeWidthChar as _;

use super::{
    Style,
    escape::{clean_line, spelled},
    figures::counted,
};
use crate::domain::model::{
    diagnostic::{Diagnostic, Label, Severity, count},
    hidden::is_hidden,
    place::Span,
};

/// Widest part of a source line that is shown, in columns.
const COLUMNS_MAX: usize = 100;

/// What is kept before the caret where a source line is cut, in columns.
const COLUMNS_BEFORE_CARET: usize = 30;

const GUTTER: anstyle::Style = AnsiColor::BrightBlue.on_default().effects(Effects::BOLD);
const BOLD: anstyle::Style = anstyle::Style::new().bold();

/// Renders diagnostics in the order given, with an empty line between two of them.
pub fn render(diagnostics: &[Diagnostic], style: Style) -> String {
    let mut lines = Vec::new();
    for diagnostic in diagnostics {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        push_diagnostic(&mut lines, diagnostic, style);
    }
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Counts the diagnostics: `2 errors, 1 warning in 14 tasks`.
pub fn summary(diagnostics: &[Diagnostic], n_tasks: usize) -> String {
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (count(diagnostics, severity), severity.as_str()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| counted(n, word))
        .collect();
    let counts = if counts.is_empty() { "no faults".to_owned() } else { counts.join(", ") };
    format!("{counts} in {}", counted(n_tasks, "task"))
}

/// Which label it is: how its place and its caret look.
struct Look {
    arrow: &'static str,
    mark: &'static str,
    color: anstyle::Style,
    /// Whether the text follows the place where no source line can be shown.
    has_text_at_place: bool,
}

fn push_diagnostic(lines: &mut Vec<String>, diagnostic: &Diagnostic, style: Style) {
    let color = match diagnostic.severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::BrightYellow,
        Severity::Note => AnsiColor::BrightCyan,
    };
    let color = color.on_default().effects(Effects::BOLD);
    let head = format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code);
    let message = format!(": {}", clean_line(&diagnostic.message));
    lines.push(format!("{}{}", style.paint(color, &head), style.paint(BOLD, &message)));

    let width = std::iter::once(&diagnostic.primary)
        .chain(&diagnostic.related)
        .filter(|label| source_of(label).is_some())
        .map(|label| label.span.line.to_string().len())
        .max()
        .unwrap_or(1);
    let primary = Look { arrow: "-->", mark: "^", color, has_text_at_place: false };
    push_label(lines, &diagnostic.primary, width, &primary, style);
    let related = Look { arrow: ":::", mark: "-", color: GUTTER, has_text_at_place: true };
    for label in &diagnostic.related {
        push_label(lines, label, width, &related, style);
    }
    if let Some(help) = &diagnostic.help {
        let (equals, help_word) = (style.paint(GUTTER, "="), style.paint(BOLD, "help"));
        lines.push(format!("{:width$}  {equals} {help_word}: {}", "", clean_line(help)));
    }
}

/// Returns the source line of a label, where it and the place in it are known.
fn source_of(label: &Label) -> Option<&str> {
    label.source.as_deref().filter(|_| label.span.is_known())
}

fn push_label(lines: &mut Vec<String>, label: &Label, width: usize, look: &Look, style: Style) {
    let Span { line, column, .. } = label.span;
    let text = clean_line(&label.text);
    let mut place = clean_line(&label.path).into_owned();
    if label.span.is_known() {
        place = format!("{place}:{line}:{column}");
    }
    let source = source_of(label);
    if source.is_none() && look.has_text_at_place && !text.is_empty() {
        place = format!("{place}: {text}");
    }
    lines.push(format!("{:width$} {} {place}", "", style.paint(GUTTER, look.arrow)));
    let Some(source) = source else { return };
    let excerpt = Excerpt::of(source, label.span);
    let bar = style.paint(GUTTER, "|");
    let number = style.paint(GUTTER, &format!("{line:>width$}"));
    let marks = look.mark.repeat(excerpt.n_marks);
    let marks = style.paint(look.color, format!("{marks} {text}").trim_end());
    lines.push(format!("{:width$}  {bar}", ""));
    lines.push(format!(" {number} {bar} {}", excerpt.text));
    lines.push(format!("{:width$}  {bar} {:indent$}{marks}", "", "", indent = excerpt.indent));
}

/// The part of a source line that is shown, and where its marks go.
struct Excerpt {
    text: String,
    /// Columns before the first mark.
    indent: usize,
    n_marks: usize,
}

impl Excerpt {
    fn of(source: &str, span: Span) -> Self {
        let source = source.trim_end_matches(['\r', '\n']);
        let start = usize::try_from(span.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let length = usize::try_from(span.length).unwrap_or(usize::MAX);
        // A line may have millions of characters: only those around the span are looked at.
        let skipped = start.saturating_sub(COLUMNS_MAX).min(source.chars().count());
        let mut rest = source.chars().skip(skipped);
        let cells: Vec<Cell> = rest.by_ref().take(3 * COLUMNS_MAX).map(Cell::of).collect();
        let start = (start - skipped.min(start)).min(cells.len());
        let (before, from_start) = cells.split_at_checked(start).unwrap_or((&cells, &[]));
        let n_marked = length.min(from_start.len());

        let mut text = String::new();
        let mut indent = 0;
        let kept = if skipped == 0 && width(before) <= COLUMNS_MAX - COLUMNS_BEFORE_CARET {
            before
        } else {
            indent = 1;
            text.push('…');
            last_columns(before, COLUMNS_BEFORE_CARET)
        };
        indent += width(kept);
        text.extend(kept.iter().map(|cell| cell.text.as_str()));
        let mut used = indent;
        let mut n_marks = 0;
        let is_whole = rest.next().is_none() && used + width(from_start) <= COLUMNS_MAX;
        for (position, cell) in from_start.iter().enumerate() {
            if !is_whole && used + cell.width >= COLUMNS_MAX {
                text.push('…');
                break;
            }
            text.push_str(&cell.text);
            used += cell.width;
            if position < n_marked {
                n_marks += cell.width;
            }
        }
        Self { text, indent, n_marks: n_marks.max(1) }
    }
}

/// One character as it is shown.
struct Cell {
    text: String,
    width: usize,
}

impl Cell {
    fn of(c: char) -> Self {
        match c {
            '\t' => Self { text: "    ".to_owned(), width: 4 },
            c if is_hidden(c) => {
                let text = spelled(c);
                Self { width: text.len(), text }
            }
            c => Self { text: c.to_string(), width: c.width().unwrap_or(0) },
        }
    }
}

fn width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

/// Returns the last cells that fit into `columns`.
fn last_columns(cells: &[Cell], columns: usize) -> &[Cell] {
    let mut used = 0;
    let n_kept = cells
        .iter()
        .rev()
        .take_while(|cell| {
            used += cell.width;
            used <= columns
        })
        .count();
    cells.get(cells.len() - n_kept..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const PLAIN: Style = Style { is_colored: false };

    fn label(path: &str, span: (u32, u32, u32), source: &str, text: &str) -> Label {
        let (line, column, length) = span;
        let label = Label::new(path, Span::new(line, column, length), text);
        Label { source: Some(source.to_owned()), ..label }
    }

    fn check(diagnostic: Diagnostic, expected: &Expect) {
        expected.assert_eq(&render(&[diagnostic], PLAIN));
    }

    #[test]
    fn a_fault_is_shown_with_its_line_and_help() {
        let source = "depends_on: [API-01O]";
        let primary = label(".orch/tasks/API-012.md", (4, 14, 7), source, "no task has this id");
        let message = "task `API-012` depends on `API-01O`, which does not exist";
        check(
            Diagnostic::error("unknown-dependency", message, primary)
                .with_help("did you mean `API-010`?"),
            &expect![[r#"
                error[unknown-dependency]: task `API-012` depends on `API-01O`, which does not exist
                  --> .orch/tasks/API-012.md:4:14
                   |
                 4 | depends_on: [API-01O]
                   |              ^^^^^^^ no task has this id
                   = help: did you mean `API-010`?
            "#]],
        );
    }

    #[test]
    fn related_places_stand_in_one_column_with_the_first() {
        let primary = label("a.md", (4, 14, 1), "depends_on: [b]", "`a` depends on `b`");
        let mut nowhere = Label::new("c.md", Span::new(7, 3, 2), "`c` depends on `a`");
        let second = label("b.md", (112, 5, 1), "  - c", "`b` depends on `c`");
        let diagnostic = Diagnostic::error("dependency-cycle", "a circle", primary)
            .with_related(second)
            .with_related(nowhere.clone());
        nowhere.span = Span::default();
        check(
            diagnostic.with_related(nowhere).with_help("remove one"),
            &expect![[r#"
                error[dependency-cycle]: a circle
                    --> a.md:4:14
                     |
                   4 | depends_on: [b]
                     |              ^ `a` depends on `b`
                    ::: b.md:112:5
                     |
                 112 |   - c
                     |     - `b` depends on `c`
                    ::: c.md:7:3: `c` depends on `a`
                    ::: c.md: `c` depends on `a`
                     = help: remove one
            "#]],
        );
    }

    #[test]
    fn without_a_line_only_the_path_is_shown() {
        let primary = Label::new("odd\u{1b}name.md", Span::default(), "unused");
        check(
            Diagnostic::note("skipped", "it has\nno front matter", primary),
            &expect![[r#"
                note[skipped]: it has\nno front matter
                  --> odd\x1bname.md
            "#]],
        );
    }

    #[test]
    fn the_caret_stands_under_what_is_shown() {
        let table: &[(&str, (u32, u32, u32), Expect)] = &[
            (
                "\tid: x",
                (1, 6, 1),
                expect![[r#"
                    › 1 |     id: x
                    ›   |         ^ here
                "#]],
            ),
            (
                "漢字: \u{1b}[x\u{202e}",
                (1, 5, 4),
                expect![[r#"
                    › 1 | 漢字: \x1b[x\u{202e}
                    ›   |       ^^^^^^^^^^^^^^ here
                "#]],
            ),
            (
                "id:",
                (1, 4, 0),
                expect![[r#"
                    › 1 | id:
                    ›   |    ^ here
                "#]],
            ),
            (
                "id:",
                (1, 90, 5),
                expect![[r#"
                    › 1 | id:
                    ›   |    ^ here
                "#]],
            ),
            (
                "",
                (1, 1, 3),
                expect![[r#"
                    › 1 |
                    ›   | ^ here
                "#]],
            ),
            (
                "\r\n",
                (1, 1, 0),
                expect![[r#"
                    › 1 |
                    ›   | ^ here
                "#]],
            ),
        ];
        for (source, span, expected) in table {
            expected.assert_eq(&body(source, *span));
        }
    }

    /// Renders only the source line and the line under it, each behind a `›`.
    fn body(source: &str, span: (u32, u32, u32)) -> String {
        let diagnostic = Diagnostic::error("x", "x", label("a.md", span, source, "here"));
        render(&[diagnostic], PLAIN).lines().skip(3).flat_map(|line| ["›", line, "\n"]).collect()
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let numbers: String = (0..100).map(|n| format!("{n:03} ")).collect();
        expect![[r#"
            › 1 | 000 001 002 003 004 005 006 007 008 009 010 011 012 013 014 015 016 017 018 019 020 021 022 023 024…
            ›   |         ^^^ here
        "#]]
        .assert_eq(&body(&numbers, (1, 9, 3)));
        expect![[r#"
            › 1 | …3 044 045 046 047 048 049 050 051 052 053 054 055 056 057 058 059 060 061 062 063 064 065 066 067 …
            ›   |                                ^^^ here
        "#]]
        .assert_eq(&body(&numbers, (1, 205, 3)));
        expect![[r#"
            › 1 | …0 091 092 093 094 095 096 097 098 099
            ›   |                                ^^^^^^^^ here
        "#]]
        .assert_eq(&body(&numbers, (1, 393, 40)));
        assert!(body(&"漢".repeat(1_000_000), (1, 500_000, 500_000)).len() < 1_000);
        assert!(body(&"\t".repeat(1_000_000), (1, 3, u32::MAX)).len() < 1_000);
        assert!(body(&"\u{301}".repeat(1_000_000), (u32::MAX, u32::MAX, 9)).len() < 1_000);
    }

    #[test]
    fn colors_change_nothing_but_the_looks() {
        let primary = label("a.md", (1, 1, 2), "id: x", "here");
        let all = [
            Diagnostic::error("a", "b", primary.clone()).with_help("c"),
            Diagnostic::warning("a", "b", primary.clone()).with_related(primary),
        ];
        let colored = render(&all, Style { is_colored: true });
        assert!(colored.contains("\u{1b}[1m\u{1b}[91merror[a]\u{1b}[0m"), "{colored:?}");
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), render(&all, PLAIN));
    }

    #[test]
    fn faults_are_counted() {
        let at = || Label::new("a.md", Span::default(), "");
        let error = || Diagnostic::error("a", "b", at());
        assert_eq!(summary(&[], 1), "no faults in 1 task");
        assert_eq!(summary(&[Diagnostic::note("a", "b", at())], 0), "1 note in 0 tasks");
        let mixed = [error(), Diagnostic::warning("a", "b", at()), error()];
        assert_eq!(summary(&mixed, 14), "2 errors, 1 warning in 14 tasks");
    }
}
