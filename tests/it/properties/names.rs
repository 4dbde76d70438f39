//! Names, times and patterns: what is taken is safe as a path and as a branch, and means one thing.

use orch::domain::{
    format::layout::{self, FileKind},
    model::{
        glob::Glob,
        id::{AttemptId, GateName, TaskId},
        next_id::next_id,
        suggest,
        time::{Exact, Timestamp, parse_duration},
    },
};

use super::first_line;

/// A name that is taken can be a file, a branch and an argument; any title gives one.
pub(super) fn ids(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(id) = TaskId::parse(&text) {
        assert_eq!(id.as_str(), text);
        assert_safe_name(&text);
        let attempt = AttemptId::new(id.clone(), 1 + text.len() as u32);
        assert_eq!(layout::classify(&layout::task_path(&id)), FileKind::Task);
        assert_eq!(layout::stem(&layout::task_path(&id)), text);
        let run = layout::classify(&layout::run_path(&attempt));
        assert_eq!(run, FileKind::Run(attempt.clone()));
        let status = layout::classify(&layout::status_path(&attempt));
        assert_eq!(status, FileKind::Status(attempt.clone()));
        for path in [layout::worktree_path(&id), layout::log_path(&attempt)] {
            assert_safe_path(&path);
        }
    }
    if GateName::is_valid(&text) {
        text.split('/').for_each(assert_safe_name);
        let path = layout::gate_event_path(&GateName(text.to_string()), None);
        assert_eq!(layout::classify(&path), FileKind::Event, "{path}");
    }
    let milestone = layout::milestone_path(&text, "5e1f", 2);
    assert_eq!(layout::classify(&milestone), FileKind::Milestone);
    assert_safe_path(&milestone);
    assert!(milestone.len() < 250 && milestone.matches('/').count() == 2, "{milestone}");
    layout::classify(&text);
    let known = ["API-001", "API-002", "api-003", &text];
    let next = next_id(known, [], &text);
    assert!(!known.iter().any(|known| known.eq_ignore_ascii_case(next.as_str())), "{next}");
    let near = suggest::did_you_mean(&text, known.into_iter());
    assert!(near.is_none_or(|near| known.contains(&near)));
    times(&text);
}

/// Checks what a file system, git and a shell ask of a name; not the rule that the program has.
fn assert_safe_name(name: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    assert!((1..=64).contains(&name.len()) && name.chars().all(is_plain), "{name:?}");
    assert!(!name.starts_with(['.', '-', '_']) && !name.contains(".."), "{name:?}");
    assert!(!name.ends_with('.') && !name.to_lowercase().ends_with(".lock"), "{name:?}");
}

/// Checks that a path stays below `.orch`.
fn assert_safe_path(path: &str) {
    let mut parts = path.split('/');
    assert_eq!(parts.next(), Some(".orch"));
    let is_safe = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\0');
    assert!(parts.all(is_safe), "{path:?}");
}

/// A time that is read is read again from what is written.
fn times(text: &str) {
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&Exact(duration).to_string()), Ok(duration), "{text:?}");
    }
    if let Some(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time), "{text:?}");
    }
}

/// Two patterns that cover the same path meet, whichever is asked. One line each: two patterns, and
/// the path.
pub(super) fn globs(bytes: &[u8]) {
    let (one, rest) = first_line(bytes);
    let (other, rest) = first_line(rest);
    // No system takes a longer path.
    let path: String = String::from_utf8_lossy(rest).chars().take(4096).collect();
    let (Ok(one), Ok(other)) = (Glob::parse(&one), Glob::parse(&other)) else { return };
    assert_eq!(one.meets(&other), other.meets(&one), "{one:?} {other:?}");
    let both = one.matches(&path) && other.matches(&path);
    assert!(!both || one.meets(&other), "{one:?} {other:?} {path:?}");
}
