//! Task files: `.orch/tasks/**/*.md`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    decode::{UnknownKeys, decode},
    document::{Markdown, open_markdown, refusal},
    fault::{Fault, in_file},
    field::{Field, List},
    front_matter::{self, Split},
    layout,
    number::Level,
    parts::{RawBudget, RawCompletion, RawRetry, RawWorker},
    task_body,
    value::{FromText as _, Word},
};
use crate::domain::model::{
    diagnostic::Diagnostic,
    glob::Glob,
    id::{GateName, RoleName, TaskId},
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
    /// Outside facts that must be there before it starts.
    pub waits_for: Field<List<GateName>>,
    /// The author's word about its state.
    pub status: Field<AuthorStatus>,
}

/// Reads a task file; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8], reading: Reading) -> TaskFile {
    let file = match open_markdown(bytes) {
        Ok(file) => file,
        Err(fault) => return TaskFile { spec: None, diagnostics: refusal(fault, path, bytes) },
    };
    let Some(head) = &file.head else {
        let diagnostics = in_file(vec![without_front_matter(file.text)], path, file.text);
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
    let diagnostics = if faults.is_empty() { Vec::new() } else { in_file(faults, path, file.text) };
    TaskFile { spec, diagnostics }
}

/// Returns what follows the front matter of `text`: all of it where there is none.
pub fn body(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match front_matter::split(text) {
        Ok(Split::Found(found)) => found.body,
        Ok(Split::Absent { body }) => body,
        Err(_) => "",
    }
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
        waits_for: raw.waits_for.value.map(List::located).into_iter().flatten().collect(),
        status: raw.status.located().unwrap_or_default(),
        criteria: Default::default(),
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
