//! Whose the repository is.

use std::os::unix::fs::MetadataExt as _;

use super::Surroundings;
use crate::{
    app::{error::trust_help, view::doctor::Check},
    domain::format::layout,
    io::{git, system},
};

const NAME: &str = "owner";

/// Looks whose the repository and the plan are.
pub(super) fn owner(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let store = surroundings.store;
    if let Some(folder) = git::foreign_repository(store.root()) {
        let message = "the git repository belongs to another user: nothing of it is used";
        return vec![Check::error(NAME, message, trust_help(&folder))];
    }
    let uid = |path: &str| store.path(path).symlink_metadata().ok().map(|about| about.uid());
    vec![judge(system::user(), uid(""), uid(layout::ORCH_DIR))]
}

fn judge(own: u32, root: Option<u32>, plan: Option<u32>) -> Check {
    let foreign = [("the folder", root), (".orch", plan)];
    let foreign = foreign.into_iter().find(|(_, uid)| uid.is_some_and(|uid| uid != own));
    match foreign {
        None => Check::ok(NAME, "the repository and its plan belong to you"),
        Some((what, uid)) => Check::warning(
            NAME,
            format!("{what} belongs to the user {}, who may change what is run", uid.unwrap_or(0)),
            "work in a clone of your own",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, judge};
    use expect_test::expect;

    #[test]
    fn what_belongs_to_another_user_is_told() {
        let checks = [
            judge(7, Some(7), Some(7)),
            judge(7, Some(8), Some(7)),
            judge(7, Some(7), Some(0)),
            judge(7, None, None),
        ];
        expect![[r#"
            ok owner: the repository and its plan belong to you | -
            warning owner: the folder belongs to the user 8, who may change what is run | work in a clone of your own
            warning owner: .orch belongs to the user 0, who may change what is run | work in a clone of your own
            ok owner: the repository and its plan belong to you | -
        "#]].assert_eq(&told(&checks));
    }
}
