//! Use and limits of agents, from their output into the records.

use std::time::{SystemTime, UNIX_EPOCH};

use orch::domain::model::agent::Agent;

use super::runs::{orch, plan, read};

/// What the recorded runs that end well used, as it stands in the record.
const USAGE: [(Agent, &str); 6] = [
    (
        Agent::Claude,
        "{input_tokens: 220, output_tokens: 72, cache_read_tokens: 8000, cache_creation_tokens: 3000, cost_usd: 0.01892}",
    ),
    (
        Agent::Codex,
        "{input_tokens: 3120, output_tokens: 62, cache_read_tokens: 6000, cache_creation_tokens: 0, cost_usd: 0}",
    ),
    (
        Agent::Gemini,
        "{input_tokens: 3120, output_tokens: 72, cache_read_tokens: 6000, cache_creation_tokens: 0, cost_usd: 0}",
    ),
    (
        Agent::Aider,
        "{input_tokens: 2100, output_tokens: 2, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: 0.0052}",
    ),
    (
        Agent::Opencode,
        "{input_tokens: 3120, output_tokens: 62, cache_read_tokens: 6000, cache_creation_tokens: 0, cost_usd: 0.003244}",
    ),
    (
        Agent::Cursor,
        "{input_tokens: 1120, output_tokens: 42, cache_read_tokens: 5000, cache_creation_tokens: 0, cost_usd: 0}",
    ),
];

/// Returns what `agent` writes at a limit that is lifted in a moment, and how it then ends.
fn limited(agent: Agent) -> (String, &'static str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let output = match agent {
        Agent::Claude => format!(
            "{{\"type\":\"rate_limit_event\",\"rate_limit_info\":{{\"status\":\"rejected\",\"resetsAt\":{}}}}}\n\
             {{\"type\":\"result\",\"is_error\":true,\"api_error_status\":429,\"result\":\"You've hit your 5-hour limit\"}}\n",
            now + 2
        ),
        Agent::Codex => "{\"type\":\"turn.failed\",\"error\":{\"message\":\"You've hit your usage limit. Upgrade to Pro or try again in 2 seconds.\"}}\n".to_owned(),
        Agent::Gemini => "{\"type\":\"result\",\"status\":\"error\",\"error\":{\"message\":\"You have exhausted your capacity on this model. Your quota will reset after 2s.\"}}\n".to_owned(),
        Agent::Aider => "litellm.RateLimitError: Rate limit reached. Please try again in 2s.\n".to_owned(),
        Agent::Opencode => "{\"type\":\"error\",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"Rate limit reached\",\"statusCode\":429,\"responseHeaders\":{\"retry-after\":\"2\"}}}}\n".to_owned(),
        Agent::Copilot => "{\"type\":\"session.error\",\"data\":{\"errorType\":\"rate_limit\",\"message\":\"429 try again in 2 seconds\",\"statusCode\":429}}\n".to_owned(),
        Agent::Cursor => "Error: You've hit your usage limit\n  try again in 2 seconds\n".to_owned(),
    };
    // One of them calls it a success.
    (output, if agent == Agent::Aider { "0" } else { "1" })
}

#[test]
fn what_an_agent_used_stands_in_the_record() {
    for (agent, usage) in USAGE {
        let sandbox = plan(agent, "", &[("done", "0")]);
        let (code, text) = orch(&sandbox, &["run"], &[]);
        assert_eq!(code, 0, "{text}");
        let record = read(&sandbox.path(".orch/runs/a.1.yaml"));
        assert!(record.contains(&format!("usage: {usage}\n")), "{agent:?}: {record}");
    }
}

#[test]
fn an_agent_at_its_limit_goes_on_when_it_is_lifted() {
    for (_, agent) in Agent::NAMED {
        let sandbox = plan(agent, "", &[("done", "0"), ("done", "0")]);
        let (output, exit) = limited(agent);
        sandbox.write("bin/1.output", &output);
        sandbox.write("bin/1.exit", exit);
        // One attempt may fail, and none does.
        let (code, text) = orch(&sandbox, &["run"], &[]);
        assert_eq!(code, 0, "{agent:?}: {text}");
        let record = read(&sandbox.path(".orch/runs/a.1.yaml"));
        assert!(record.contains("outcome: limited"), "{agent:?}: {record}");
        let record = read(&sandbox.path(".orch/runs/a.2.yaml"));
        assert!(record.contains("outcome: succeeded"), "{agent:?}: {record}");
    }
}

#[test]
fn status_adds_up_what_agents_used_by_role_and_milestone() {
    for (agent, _) in USAGE {
        let sandbox = plan(agent, "", &[("done", "0"), ("done", "0")]);
        let task = |milestone: &str| {
            format!("---\nrole: agent\nmilestone: {milestone}\nworkstream: one\n---\nPaint.\n")
        };
        sandbox.write(".orch/tasks/a.md", &task("beta"));
        sandbox.write(".orch/tasks/b.md", &task("rc"));
        let (code, text) = orch(&sandbox, &["run"], &[]);
        assert_eq!(code, 0, "{text}");
        let status = sandbox.orch(&["status", "--json"]).json();
        let named = |groups: &str, name: &str| {
            let all = status[groups].as_array().unwrap();
            all.iter().find(|group| group["name"] == name).unwrap().clone()
        };
        let (role, beta) = (named("roles", "agent"), named("milestones", "beta"));
        let tokens = |group: &serde_json::Value| group["tokens"].as_u64().unwrap();
        assert!(tokens(&beta) > 0, "{agent:?}: {status}");
        // Both tasks used the same.
        assert_eq!(tokens(&role), 2 * tokens(&beta), "{agent:?}: {status}");
        assert_eq!(tokens(&status), 2 * tokens(&beta), "{agent:?}: {status}");
        let cost = |group: &serde_json::Value| group["cost_usd"].as_f64().unwrap();
        assert!((cost(&role) - 2.0 * cost(&beta)).abs() < 1e-9, "{agent:?}: {status}");
        let shown = sandbox.orch(&["status"]).text();
        assert!(shown.contains("TOKENS") && shown.contains("beta"), "{agent:?}: {shown}");
    }
}

#[test]
fn a_budget_is_spent_by_what_the_output_of_an_agent_says() {
    let sandbox = plan(Agent::Claude, "", &[("done", "0")]);
    sandbox.write(".orch/tasks/a.md", "---\nrole: agent\nbudget: {tokens: 1k}\n---\nPaint.\n");
    // It says what it used while it goes on.
    let calls = sandbox.path("bin/claude");
    let stand_in = read(&calls);
    std::fs::write(&calls, format!("{stand_in}\nsleep 600\n").replace("exit ", ": ")).unwrap();
    let (code, text) = orch(&sandbox, &["run"], &[]);
    assert_eq!(code, 1, "{text}");
    let record = read(&sandbox.path(".orch/runs/a.1.yaml"));
    assert!(record.contains("outcome: over-budget\n"), "{record}");
}

#[test]
fn no_amount_that_an_agent_tells_keeps_its_end_from_being_known() {
    let sandbox = plan(Agent::Claude, "", &[("done", "0")]);
    let line = "{\"type\":\"result\",\"is_error\":false,\"total_cost_usd\":1e308,\"usage\":{\"input_tokens\":1}}\n";
    sandbox.write("bin/1.output", line);
    let (code, text) = orch(&sandbox, &["run", "--plain"], &[]);
    assert_eq!(code, 0, "{text}");
    let record = read(&sandbox.path(".orch/runs/a.1.yaml"));
    assert!(record.contains("outcome: succeeded\n") && record.contains("cost_usd: 1000000000}"));
}
