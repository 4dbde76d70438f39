//! `orch schema` and `orch completions`: text that programs read.

use super::Sandbox;

#[test]
fn every_format_has_a_schema() {
    let sandbox = Sandbox::new();
    for format in ["task", "role", "config", "run", "status", "event"] {
        let schema = sandbox.orch(&["schema", format]).json();
        assert!(schema["properties"].is_object(), "{format}");
    }
    assert_eq!(sandbox.orch(&["schema"]).json()["title"], "Task");
    let text = sandbox.orch(&["schema", "taks"]).error(2);
    assert!(text.contains("[possible values: task, role"), "{text}");
}

#[test]
fn completions_name_the_commands() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.orch(&["completions", shell]).text();
        assert!(script.contains("approve") && script.contains("depends-on"), "{shell}");
    }
}
