//! Task files: `.orch/tasks/**/*.md`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    conflict,
    decode::{UnknownKeys, decode},
    document::{Markdown, open_markdown, refusal},
    fault::{Fault, in_file},
    field::{Field, List},
    front_matter::{self, Split},
    layout,
    number::Level,
    parts::{RawBudget, RawCompletion, RawLoop, RawRetry, RawWorker},
    task_body,
    value::{FromText as _, Word},
};
use crate::domain::model::{
    diagnostic::Diagnostic,
    glob::Glob,
    id::{GateName, RoleName, TaskId},
    limits::MARKDOWN_BYTES_MAX,
    place::{Located, Span},
    task::{AuthorStatus, Estimate, Priority, TaskSpec},
};

/// How much of a task file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The front matter; the body only for a title that is missing there.
    Head,
    /// All: the body for acceptance criteria and for a verify command, too.
    Whole,
}

/// What could be made of a task file.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskFile {
    /// The task; `None` where the file is no task or has no usable id. Faulty keys are as if they
    /// were missing.
    pub spec: Option<TaskSpec>,
    /// All faults, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// The front matter of a task, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `title`")]
#[schemars(title = "Task", description = "Front matter of a task file (.orch/tasks/**/*.md)")]
pub struct RawTask {
    /// Name of the task; default: the file name without `.md`.
    pub id: Field<TaskId>,
    /// What it is about, on one line; default: the first heading, else the id.
    pub title: Field<Word>,
    /// Ids of the tasks that must be done first.
    pub depends_on: Field<List<Word>>,
    /// Which role of `.orch/roles` works on it.
    pub role: Field<RoleName>,
    /// Higher runs first.
    pub priority: Field<Priority>,
    /// How long it takes: a size or a duration.
    pub estimate: Field<Estimate>,
    /// A named target that it belongs to.
    pub milestone: Field<Word>,
    /// A free grouping.
    pub phase: Field<Word>,
    /// Tasks of one workstream run one after another.
    pub workstream: Field<Word>,
    /// Free words.
    pub tags: Field<List<Word>>,
    /// Barrier: no task of a level starts before all tasks of lower levels ended well.
    pub level: Field<Level>,
    /// What it will touch: two tasks whose patterns meet never run at once.
    pub files: Field<List<Glob>>,
    /// How it is worked on.
    pub worker: Field<RawWorker>,
    /// When it counts as done.
    pub completion: Field<RawCompletion>,
    /// What happens after a failed attempt.
    pub retry: Field<RawRetry>,
    /// What it may use up.
    pub budget: Field<RawBudget>,
    /// Starts the worker again, with what failed, until the checks hold.
    #[serde(rename = "loop")]
    pub repeat: Field<RawLoop>,
    /// Outside facts that must be there before it starts.
    pub waits_for: Field<List<GateName>>,
    /// The author's word about its state.
    pub status: Field<AuthorStatus>,
}

/// Reads a task file; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8], reading: Reading) -> TaskFile {
    let file = match open_markdown(bytes) {
        Ok(file) => file,
        Err(fault) => {
            // That it is no YAML comes of the markers.
            let text = front_matter::text(bytes).unwrap_or_default();
            let fault = conflict::find(text, text.len()).unwrap_or(fault);
            return TaskFile { spec: None, diagnostics: refusal(fault, path, bytes) };
        }
    };
    let Some(head) = &file.head else {
        let fault = conflict::find(file.text, file.text.len());
        let fault = fault.unwrap_or_else(|| without_front_matter(file.text));
        let diagnostics = in_file(vec![fault], path, file.text);
        return TaskFile { spec: None, diagnostics };
    };
    let mut faults = Vec::new();
    let mut raw: RawTask = decode(head, UnknownKeys::Warn, &mut faults);
    let id = task_id(&mut raw.id, path, &mut faults);
    let spec = id.map(|id| {
        let mut spec = spec(raw, id, path);
        read_body(&mut spec, &file, reading);
        spec
    });
    // Who reads only heads looks at bodies only where something is wrong.
    if reading == Reading::Whole || !faults.is_empty() {
        faults.extend(conflict::find(file.text, file.text.len() - file.body.len()));
        faults.extend(long_body(&file));
    }
    let diagnostics = if faults.is_empty() { Vec::new() } else { in_file(faults, path, file.text) };
    TaskFile { spec, diagnostics }
}

/// Returns what follows the front matter of `text`: all of it where there is none.
pub fn body(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    match front_matter::split(text) {
        Ok(Split::Found(found)) => found.body,
        Ok(Split::Absent { body }) => body,
        Err(_) => "",
    }
}

/// Tells of a body that is not looked at as a whole.
fn long_body(file: &Markdown<'_>) -> Option<Fault> {
    let n_passed_over = file.body.len() - task_body::looked_at(file.body).len();
    let before = file.text.get(..file.text.len() - n_passed_over)?;
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let span = Span::new(u32::try_from(line).unwrap_or(u32::MAX), 1, 0);
    let message = format!(
        "the body has more than {} KiB: what follows is not looked at",
        MARKDOWN_BYTES_MAX / 1024
    );
    let fault = Fault::warning("long-body", span, message).with_help(
        "move title, acceptance criteria and verification up, or the long text into another file",
    );
    (n_passed_over > 0).then_some(fault)
}

/// Says why a file without front matter is no task.
fn without_front_matter(text: &str) -> Fault {
    let span = Span::new(1, 1, 0);
    if text.trim().is_empty() {
        return Fault::note("no-front-matter", span, "skipped: the file is empty");
    }
    let late = text.lines().take_while(|line| line.trim().is_empty()).count();
    if late > 0 && text.lines().nth(late).is_some_and(|line| line.trim_end() == "---") {
        return Fault::warning(
            "late-front-matter",
            span,
            "skipped: front matter must start on line 1",
        )
        .with_help("remove the empty lines before `---`");
    }
    if text.starts_with("---\r") {
        let message = "skipped: its lines end with a carriage return only";
        return Fault::warning("late-front-matter", span, message)
            .with_help("save the file with line feeds");
    }
    Fault::note("no-front-matter", span, "skipped: no front matter")
        .with_help("start it with `---`, keys and `---` to make it a task")
}

/// Returns the id: as written, or from the file name.
fn task_id(
    field: &mut Field<TaskId>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> Option<Located<TaskId>> {
    if field.span.is_known() {
        return std::mem::take(field).located();
    }
    match TaskId::from_text(layout::stem(path)) {
        Ok(id) => Some(Located::nowhere(id)),
        Err(fault) => {
            let message = format!("{} (from the file name)", fault.message);
            let fault = Fault::error("bad-id", Span::new(1, 1, 0), message);
            faults.push(fault.with_help("rename the file, or set `id`"));
            None
        }
    }
}

fn spec(raw: RawTask, id: Located<TaskId>, path: &str) -> TaskSpec {
    let text = |field: Field<Word>| {
        field.value.map(|word| word.0.trim().to_owned()).filter(|word| !word.is_empty())
    };
    let words = |field: Field<List<Word>>| {
        let words = field.value.map(List::located).into_iter().flatten();
        words.map(|word| Located::new(word.value.0, word.span))
    };
    TaskSpec {
        id,
        path: Arc::from(path),
        title: text(raw.title).unwrap_or_default(),
        depends_on: words(raw.depends_on).collect(),
        role: raw.role.located(),
        priority: raw.priority.value.unwrap_or_default(),
        estimate: raw.estimate.value,
        milestone: text(raw.milestone),
        phase: text(raw.phase),
        workstream: text(raw.workstream),
        tags: words(raw.tags).map(|word| word.value).collect(),
        level: raw.level.located().map(|level| Located::new(level.value.0, level.span)),
        files: raw.files.value.map(List::values).into_iter().flatten().collect(),
        worker: raw.worker.value.map(RawWorker::spec).unwrap_or_default(),
        completion: raw.completion.value.map(RawCompletion::spec).unwrap_or_default(),
        retry: raw.retry.value.map(|retry| retry.spec()).unwrap_or_default(),
        budget: raw.budget.value.map(|budget| budget.spec()).unwrap_or_default(),
        repeat: raw.repeat.value.map(|repeat| repeat.spec()),
        waits_for: raw.waits_for.value.map(List::located).into_iter().flatten().collect(),
        status: raw.status.located().unwrap_or_default(),
        criteria: Default::default(),
        body: Default::default(),
        digest: Default::default(),
    }
}

/// Fills in what the body says.
fn read_body(spec: &mut TaskSpec, file: &Markdown<'_>, reading: Reading) {
    let mut title = None;
    match reading {
        Reading::Head if spec.title.is_empty() => title = task_body::title(file.body),
        Reading::Head => {}
        Reading::Whole => {
            let body = task_body::parse(file.body);
            spec.criteria = body.criteria;
            spec.body = file.body.into();
            if spec.completion.verify.is_empty() {
                spec.completion.verify.extend(body.verification);
            }
            title = body.title;
        }
    }
    if spec.title.is_empty() {
        spec.title = title.unwrap_or_else(|| spec.id.value.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::task::CommandLine;
    use expect_test::{Expect, expect};

    const PATH: &str = ".orch/tasks/a.md";

    /// Writes diagnostics as they matter: place, severity, words.
    fn told(diagnostics: &[Diagnostic]) -> String {
        let line = |d: &Diagnostic| {
            let span = d.primary.span;
            let help = d.help.as_deref().unwrap_or("-");
            let (code, word) = (d.code, d.severity.as_str());
            let (line, column, length) = (span.line, span.column, span.length);
            format!("{line}:{column}+{length} {word}[{code}] {} | {help}\n", d.message)
        };
        diagnostics.iter().map(line).collect()
    }

    fn check(text: &str, expected: &Expect) {
        let file = parse(PATH, text.as_bytes(), Reading::Whole);
        let id = file
            .spec
            .map_or_else(|| "no task".to_owned(), |spec| format!("task {}", spec.id.value));
        expected.assert_eq(&format!("{id}\n{}", told(&file.diagnostics)));
    }

    #[test]
    fn a_task_says_what_it_means() {
        let text = include_str!("../../../fixtures/format/task.md");
        let file = parse(PATH, text.as_bytes(), Reading::Whole);
        assert_eq!(told(&file.diagnostics), "");
        let spec = file.spec.unwrap();
        expect_test::expect_file!["../../../fixtures/format/task.txt"]
            .assert_eq(&format!("{spec:#?}\n"));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        check(
            "---\nid: API-1\ntittle: x\ndepends_on: {a: b}\npriority: hihg\nestimate: 2x\nlevel: high\n\
             files: [/etc, ok/**]\nworker:\n  timeout: 30\n  env: {1A: x}\n  executor: slurm\n  comand: x\n\
             retry: {max_attempts: 0}\nbudget: {tokens: lots, cost_usd: -1}\nwaits_for: [../x]\nstatus: pending\n\
             completion: {review: maybe, verify: [\"\", ok]}\ncreated: 2020-01-01\ntags: [a, [b]]\n---\n",
            &expect![[r#"
                task API-1
                3:1+6 warning[unknown-key] unknown key `tittle` | did you mean `title`?
                4:13+6 error[wrong-type] `depends_on` is a mapping where a list is expected | -
                5:11+4 error[bad-priority] `hihg` is not a priority | did you mean `high`?
                6:11+2 error[bad-estimate] `2x` is not an estimate | write `S`, `M`, `L`, `XL` or a duration such as `2h`
                7:8+4 error[wrong-type] `level` is text where a whole number is expected | -
                8:9+4 error[bad-glob] the pattern `/etc` does not hold: it starts with `/`, but paths start at the repository root | write a path below the repository root, such as `src/limit/**`
                10:12+2 error[bad-duration] `30` has no unit | write `30s` or `30m`
                11:9+2 error[bad-env-name] `1A` is not a name of an environment variable | use letters, digits and `_`, with no digit first
                12:13+5 error[unknown-executor] unknown executor `slurm` | write `local`, the only one there is
                13:3+6 warning[unknown-key] unknown key `comand` in `worker` | did you mean `command`?
                14:23+1 error[bad-number] `0` is out of range | write a number from 1 to 1000
                15:18+4 error[bad-number] `lots` is not a number of tokens | write it as `200000`, `200k` or `1.5M`
                15:34+2 error[bad-number] `-1` is not an amount of money | write it as `5` or `0.25`
                16:13+4 error[bad-gate] `../x` is not a gate name | write it as `approval` or `ci/build`: letters, digits, `.`, `_`, `-`, parts joined by `/`
                17:9+7 error[bad-status] `pending` is not a status | write one of `draft`, `todo`, `hold`, `done`, `cancelled`
                18:22+5 error[wrong-type] `completion.review` is text where `true` or `false` is expected | -
                18:38+2 error[empty-command] a command is empty | write a command, or remove the key
                19:1+7 warning[unknown-key] unknown key `created` | remove it, or ignore this where another tool reads it
                20:11+3 error[wrong-type] an item of `tags` is a list where text is expected | -
            "#]],
        );
    }

    #[test]
    fn some_files_are_no_tasks() {
        check(
            "",
            &expect![[r#"
            no task
            1:1+0 note[no-front-matter] skipped: the file is empty | -
        "#]],
        );
        check(
            "# Plan\n\nText\n",
            &expect![[r#"
            no task
            1:1+0 note[no-front-matter] skipped: no front matter | start it with `---`, keys and `---` to make it a task
        "#]],
        );
        check(
            "\n\n---\nid: a\n---\n",
            &expect![[r#"
            no task
            1:1+0 warning[late-front-matter] skipped: front matter must start on line 1 | remove the empty lines before `---`
        "#]],
        );
        check(
            "---\nid: a\n",
            &expect![[r#"
            no task
            1:1+3 error[unclosed-front-matter] the front matter is not closed | add a line `---` after the last key
        "#]],
        );
        check(
            "---\nid: ../a\n---\n",
            &expect![[r#"
            no task
            2:5+4 error[bad-id] task id `../a` starts with `.`, not with a letter or digit | use letters, digits, `.`, `_` and `-`, starting with a letter or digit
        "#]],
        );
        check(
            "---\n- a\n---\n",
            &expect![[r#"
            task a
            2:1+1 error[wrong-type] the document is a list where a mapping with keys such as `title` is expected | -
        "#]],
        );
        check(
            "---\n# nothing said\n---\n",
            &expect![[r#"
            task a
        "#]],
        );
        check(
            "---\nid: a\nid: b\n---\n",
            &expect![[r#"
            no task
            3:1+2 error[duplicate-key] the key `id` stands twice | remove one of them
        "#]],
        );
        let odd = parse(".orch/tasks/my task.md", b"---\ntitle: x\n---\n", Reading::Head);
        assert_eq!(odd.spec, None);
        expect![[r#"
            1:1+0 error[bad-id] task id `my task` contains ` ` (from the file name) | rename the file, or set `id`
        "#]].assert_eq(&told(&odd.diagnostics));
    }

    #[test]
    fn values_are_text_as_typed() {
        let text = "---\nid: 007\ntitle: 1e3\nphase: 2\nmilestone: true\nworkstream: ~\ndepends_on: 010\n\
                    completion: {verify: [[cargo, test], \"a && b\"]}\n---\n## Verification\n```sh\nno\n```\n";
        let spec = parse(PATH, text.as_bytes(), Reading::Whole).spec.unwrap();
        assert_eq!(spec.id.value.as_str(), "007");
        assert_eq!(spec.title, "1e3");
        assert_eq!((spec.phase.as_deref(), spec.milestone.as_deref()), (Some("2"), Some("true")));
        assert_eq!(spec.workstream, None);
        assert_eq!(spec.depends_on, [Located::new("010".to_owned(), Span::new(7, 13, 3))]);
        let words = CommandLine::Words(vec!["cargo".to_owned(), "test".to_owned()]);
        assert_eq!(spec.completion.verify, [words, CommandLine::Text("a && b".to_owned())]);
    }

    #[test]
    fn the_source_line_comes_along() {
        let text = "\u{feff}---\r\nid: a\r\npriority:\t\x1b\r\n---\r\n".replace('\t', " \"ä\" # ");
        let file = parse(PATH, text.as_bytes(), Reading::Head);
        let [diagnostic] = &*file.diagnostics else { panic!("{:?}", file.diagnostics) };
        assert_eq!(diagnostic.code, "yaml-syntax");
        let file = parse(PATH, b"---\npriority: \xc3\xa4\t\n---\n", Reading::Head);
        let source = file.diagnostics.first().and_then(|d| d.primary.source.clone());
        assert_eq!(source.as_deref(), Some("priority: ä"));
    }
}
