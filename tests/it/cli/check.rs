//! `orch check`.

use super::Sandbox;

#[test]
fn a_plan_without_faults_is_said_to_have_none() {
    let sandbox = Sandbox::with(&[(".orch/tasks/a.md", "---\ntitle: First\n---\n")]);
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 1 task\n");
    assert_eq!(sandbox.orch(&["check", "--json"]).json()["n_tasks"], 1);
}

#[test]
fn faults_are_told_and_fail() {
    let sandbox = Sandbox::with(&[(".orch/tasks/a.md", "---\ndepends_on: [b]\n---\n")]);
    let output = sandbox.orch(&["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (1, ""));
    assert!(output.stdout.starts_with("error[unknown-dependency]"), "{}", output.stdout);
}

#[test]
fn a_folder_without_a_plan_is_wrong_usage() {
    let output = Sandbox::new().orch(&["check"]);
    let text = output.error(2);
    let expected = "error: there is no .orch folder in ";
    assert!(text.starts_with(expected), "{text}");
}
