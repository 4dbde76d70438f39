//! GitLab, with `glab`.
//!
//! It takes a description as an argument only; the body is short enough for one.

use serde_json::Value;

use super::{Call, Open, Request, encoded};

/// Most open requests that are looked through: forks may have branches of the same name.
const LISTED_MAX: &str = "100";

/// What the title of a draft begins with: there is no other sign of one.
const DRAFT: &str = "Draft: ";

pub(super) const VARIABLES: &[(&str, Option<&str>)] = &[
    ("GLAB_NO_PROMPT", Some("true")),
    ("NO_PROMPT", Some("true")),
    ("GLAB_CHECK_UPDATE", Some("false")),
    ("GLAB_SEND_TELEMETRY", Some("false")),
    ("NO_COLOR", Some("1")),
    ("CLICOLOR_FORCE", None),
    ("GITLAB_HEAD_REPO", None),
];

fn of_repository(request: &Request<'_>) -> String {
    format!("--repo={}", request.address.web())
}

pub(super) fn list(request: &Request<'_>) -> Call {
    let arguments = vec![
        "mr".to_owned(),
        "list".to_owned(),
        of_repository(request),
        format!("--source-branch={}", request.branch),
        format!("--per-page={LISTED_MAX}"),
        "--output=json".to_owned(),
    ];
    Call { arguments, input: String::new() }
}

/// Reads one request: `None` where it is none, and nothing where it comes from a fork.
pub(super) fn read(one: &Value) -> Option<Option<Open>> {
    if one.get("source_project_id")?.as_u64()? != one.get("target_project_id")?.as_u64()? {
        return Some(None);
    }
    Some(Some(Open {
        number: one.get("iid")?.as_u64()?,
        url: one.get("web_url")?.as_str()?.to_owned(),
        base: one.get("target_branch")?.as_str()?.to_owned(),
        is_draft: one.get("draft").and_then(Value::as_bool).unwrap_or(false),
    }))
}

pub(super) fn create(request: &Request<'_>) -> Call {
    let mut arguments = vec![
        "mr".to_owned(),
        "create".to_owned(),
        of_repository(request),
        // Without it, it would look for a fork among the remotes.
        format!("--head={}", request.address.web()),
        format!("--source-branch={}", request.branch),
        format!("--target-branch={}", request.base),
        format!("--title={}", request.title),
        format!("--description={}", request.body),
        "--yes".to_owned(),
    ];
    arguments.extend(request.is_draft.then(|| "--draft".to_owned()));
    Call { arguments, input: String::new() }
}

pub(super) fn update(request: &Request<'_>, open: &Open) -> Call {
    // A draft stays one.
    let draft = if open.is_draft { DRAFT } else { "" };
    let arguments = vec![
        "mr".to_owned(),
        "update".to_owned(),
        open.number.to_string(),
        of_repository(request),
        format!("--title={draft}{}", request.title),
        format!("--description={}", request.body),
    ];
    Call { arguments, input: String::new() }
}

pub(super) fn compare_url(request: &Request<'_>) -> String {
    let (base, branch) = (encoded(request.base), encoded(request.branch));
    format!(
        "{}/-/merge_requests/new?merge_request%5Bsource_branch%5D={branch}\
         &merge_request%5Btarget_branch%5D={base}",
        request.address.web()
    )
}
