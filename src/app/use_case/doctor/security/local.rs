//! Who may look into `.orch/local`: logs and prompts may hold what is secret.

use std::os::unix::fs::MetadataExt as _;

use super::{Surroundings, some};
use crate::{app::view::doctor::Check, domain::format::layout, io::git::tracked_below};

const NAME: &str = "local";

/// Bits of a mode by which others than the owner may write, and may look.
const WRITE: u32 = 0o022;
const LOOK: u32 = 0o055;

/// Looks at the permissions of the folder, and whether git has files in it.
pub(super) fn local(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let store = surroundings.store;
    let about = store.path(layout::LOCAL_DIR).symlink_metadata().ok();
    let tracked = tracked_below(store.root(), layout::LOCAL_DIR);
    vec![judge_mode(about.map(|about| about.mode())), judge_tracked(&tracked)]
}

fn judge_mode(mode: Option<u32>) -> Check {
    let Some(mode) = mode else {
        return Check::ok(NAME, "`.orch/local` is not there yet: the first run makes it");
    };
    let help = "`chmod 700 .orch/local`: logs and prompts in it may hold what is secret";
    let shown = format!("{:03o}", mode & 0o777);
    if mode & WRITE != 0 {
        Check::error(NAME, format!("others may write into .orch/local (mode {shown})"), help)
    } else if mode & LOOK != 0 {
        Check::warning(NAME, format!("others may look into .orch/local (mode {shown})"), help)
    } else {
        Check::ok(NAME, format!("nobody else may look into .orch/local (mode {shown})"))
    }
}

fn judge_tracked(tracked: &[String]) -> Check {
    match tracked {
        [] => Check::ok(NAME, "git has no file below .orch/local"),
        tracked => Check::warning(
            NAME,
            format!("git has files below it: {}", some(tracked.iter().map(String::as_str))),
            "`git rm -r --cached .orch/local`: what is local is written and believed here",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn what_others_may_do_is_told() {
        let modes = [None, Some(0o40700), Some(0o40750), Some(0o40755), Some(0o40770)];
        let mut checks: Vec<Check> = modes.into_iter().map(judge_mode).collect();
        checks.extend([judge_tracked(&[]), judge_tracked(&[".orch/local/lock".to_owned()])]);
        expect![[r#"
            ok local: `.orch/local` is not there yet: the first run makes it | -
            ok local: nobody else may look into .orch/local (mode 700) | -
            warning local: others may look into .orch/local (mode 750) | `chmod 700 .orch/local`: logs and prompts in it may hold what is secret
            warning local: others may look into .orch/local (mode 755) | `chmod 700 .orch/local`: logs and prompts in it may hold what is secret
            error local: others may write into .orch/local (mode 770) | `chmod 700 .orch/local`: logs and prompts in it may hold what is secret
            ok local: git has no file below .orch/local | -
            warning local: git has files below it: .orch/local/lock | `git rm -r --cached .orch/local`: what is local is written and believed here
        "#]].assert_eq(&told(&checks));
    }
}
