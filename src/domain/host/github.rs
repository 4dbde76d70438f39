//! GitHub, with `gh`.

use serde_json::Value;

use super::{Address, Call, Open, Request, encoded};

/// Most open requests that are looked through: forks may have branches of the same name.
const LISTED_MAX: &str = "100";

pub(super) const VARIABLES: &[(&str, Option<&str>)] = &[
    ("GH_PROMPT_DISABLED", Some("1")),
    ("GH_NO_UPDATE_NOTIFIER", Some("1")),
    ("GH_NO_EXTENSION_UPDATE_NOTIFIER", Some("1")),
    ("GH_SPINNER_DISABLED", Some("1")),
    ("NO_COLOR", Some("1")),
    ("CLICOLOR_FORCE", None),
    ("GH_FORCE_TTY", None),
];

/// It is always an owner and a name there.
pub(super) fn repository(address: &Address) -> Option<String> {
    let (owner, name) = address.path().split_once('/')?;
    (!name.contains('/')).then(|| format!("{}/{owner}/{name}", address.web_host()))
}

fn of_repository(request: &Request<'_>) -> String {
    format!("--repo={}", repository(request.address).unwrap_or_default())
}

pub(super) fn list(request: &Request<'_>) -> Call {
    let fields = "--json=number,url,baseRefName,isDraft,isCrossRepository";
    let arguments = vec![
        "pr".to_owned(),
        "list".to_owned(),
        of_repository(request),
        format!("--head={}", request.branch),
        "--state=open".to_owned(),
        format!("--limit={LISTED_MAX}"),
        fields.to_owned(),
    ];
    Call { arguments, input: String::new() }
}

/// Reads one request: `None` where it is none, and nothing where it comes from a fork.
pub(super) fn read(one: &Value) -> Option<Option<Open>> {
    if one.get("isCrossRepository")?.as_bool()? {
        return Some(None);
    }
    Some(Some(Open {
        number: one.get("number")?.as_u64()?,
        url: one.get("url")?.as_str()?.to_owned(),
        base: one.get("baseRefName")?.as_str()?.to_owned(),
        is_draft: one.get("isDraft")?.as_bool()?,
    }))
}

pub(super) fn create(request: &Request<'_>) -> Call {
    let mut arguments = vec![
        "pr".to_owned(),
        "create".to_owned(),
        of_repository(request),
        format!("--head={}", request.branch),
        format!("--base={}", request.base),
        format!("--title={}", request.title),
        "--body-file=-".to_owned(),
    ];
    arguments.extend(request.is_draft.then(|| "--draft".to_owned()));
    Call { arguments, input: request.body.to_owned() }
}

pub(super) fn update(request: &Request<'_>, open: &Open) -> Call {
    let arguments = vec![
        "pr".to_owned(),
        "edit".to_owned(),
        open.number.to_string(),
        of_repository(request),
        format!("--title={}", request.title),
        "--body-file=-".to_owned(),
    ];
    Call { arguments, input: request.body.to_owned() }
}

pub(super) fn compare_url(request: &Request<'_>) -> String {
    let (base, branch) = (encoded(request.base), encoded(request.branch));
    format!("{}/compare/{base}...{branch}?expand=1", request.address.web())
}
