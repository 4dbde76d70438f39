//! Where a plan is: bare clones, other checkouts, folders of their own.

use super::{BASE, Repo, branch};

#[test]
fn a_bare_clone_and_a_checkout_elsewhere_tell_the_same() {
    let repo = branch();
    let text = repo.diff(&["main..work"]).text();
    repo.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    assert_eq!(repo.orch(&["-C", "bare.git", "diff", "main..work"]).text(), text);
    // HEAD stands for what would be on disk.
    let since = repo.orch(&["-C", "bare.git", "diff", "main"]).text();
    assert_eq!(since.split_once('\n').unwrap().1, text.split_once('\n').unwrap().1);
    repo.git(&["worktree", "add", "--quiet", "--detach", "aside", "main"]);
    assert_eq!(repo.orch(&["-C", "aside", "diff", "main..work"]).text(), text);
    // The branch that is checked out has no plan at all.
    repo.git(&["checkout", "--quiet", "--orphan", "empty"]);
    repo.git(&["rm", "-r", "--quiet", "--force", "."]);
    repo.commit("nothing");
    assert_eq!(repo.diff(&["main..work"]).text(), text);
}

#[test]
fn a_plan_in_a_folder_of_its_own_is_found() {
    let files: Vec<(String, &str)> =
        BASE.iter().map(|(path, text)| (format!("team/plan/{path}"), *text)).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let repo = Repo::with(&files);
    repo.write("team/plan/.orch/tasks/a.md", "---\ntitle: Other\nestimate: 2h\n---\nDo it.\n");
    repo.write("team/plan/src/deep.rs", "");
    let told = "~ a: title First → Other\n";
    for folder in ["team/plan", "team/plan/src"] {
        let text = repo.orch(&["-C", folder, "diff", "HEAD"]).text();
        assert!(text.contains(told), "{text}");
    }
    repo.commit("second");
    repo.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    let error = repo.orch(&["-C", "bare.git", "diff", "HEAD~1"]).error(2);
    assert!(error.contains("`--plan DIR`"), "{error}");
    let text = repo.orch(&["-C", "bare.git", "diff", "HEAD~1", "--plan", "team/plan/"]).text();
    assert!(text.contains(told), "{text}");
    let error = repo.diff(&["HEAD~1", "--plan", "team/../nowhere"]).error(2);
    assert!(error.contains("there is no .orch folder in `team/../nowhere`"), "{error}");
}

#[test]
fn a_branch_begins_where_it_left_its_upstream() {
    let repo = Repo::with(BASE);
    repo.git(&["clone", "--quiet", ".", "clone"]);
    repo.commit("more on main");
    let clone = |args: &[&str]| repo.git(&[&["-C", "clone"], args].concat());
    let from = || {
        let told = repo.orch(&["-C", "clone", "diff", "--json"]).json();
        (told["from"]["name"].as_str().unwrap().to_owned(), told["from"]["commit"].clone())
    };
    let first = clone(&["rev-parse", "HEAD"]);
    repo.write("clone/.orch/tasks/own.md", "---\n---\n");
    clone(&["add", "--all"]);
    clone(&["commit", "--quiet", "--message", "own"]);
    assert_eq!(from(), ("origin/main".to_owned(), first.clone().into()));
    // A new branch has no upstream: the main branch of this clone.
    clone(&["checkout", "--quiet", "-b", "work"]);
    let own = clone(&["rev-parse", "HEAD"]);
    assert_eq!(from(), ("main".to_owned(), own.into()));
    // As CI checks out: a commit, and no branch but those of the remote.
    clone(&["checkout", "--quiet", "--detach"]);
    clone(&["branch", "--quiet", "-D", "main", "work"]);
    assert_eq!(from(), ("origin/main".to_owned(), first.into()));
}
