//! What records of attempts do to the states of tasks.

use expect_test::expect;

use super::{BASE, Repo};
use crate::cli::record;

#[test]
fn states_move_with_the_records() {
    let repo = Repo::with(BASE);
    repo.write(".orch/runs/a.1.yaml", &record("a", 1, "failed"));
    repo.commit("a failure");
    let usage = "usage: {input_tokens: 1200, cost_usd: 0.5}\n";
    repo.write(".orch/runs/a.2.yaml", &(record("a", 2, "succeeded") + usage));
    repo.commit("a success");
    let found = repo.json(&["HEAD~1..HEAD"]);
    expect![[r#"
        [
          {
            "from": "ready",
            "id": "a",
            "spent": {
              "cost_usd": 0.5,
              "n_attempts": 1,
              "seconds": 60.0,
              "tokens": 1200
            },
            "title": "First",
            "to": "done"
          },
          {
            "from": "waiting",
            "id": "b",
            "spent": {
              "cost_usd": 0.0,
              "n_attempts": 0,
              "seconds": 0.0,
              "tokens": 0
            },
            "title": "Second",
            "to": "ready"
          }
        ]"#]]
    .assert_eq(&format!("{:#}", found["moves"]));
    assert_eq!(found["spent"]["n_attempts"], 1);
    let text = repo.diff(&["HEAD~2..HEAD"]).text();
    assert!(
        text.contains("states (2 attempts, 2m 00s, 1.2k tokens, 0.50 USD in between)\n"),
        "{text}"
    );
    // An attempt that runs is one at both ends, or at none.
    repo.write(
        ".orch/runs/gone.1.yaml",
        "task: gone\nattempt: 1\nstarted: 2026-11-20T10:15:00.000Z\nworker: true\nexecutor: local\n\
         nonce: planted\nlog: x\n",
    );
    repo.commit("begun");
    assert_eq!(repo.diff(&["HEAD"]).text(), "");
    let moves = &repo.json(&["HEAD~1..HEAD"])["moves"][0];
    assert_eq!((&moves["from"], &moves["to"]), (&"ready".into(), &"running".into()));
}
