//! What no recorded output holds: junk, talk of limits, and more than fits. Recorded outputs are in
//! `fixtures/agents`.

use std::fmt::Write as _;

use super::*;
use crate::domain::model::{
    limits::{AGENT_LINE_BYTES_MAX, LIMIT_WORDS_MAX},
    time::Timestamp,
};

/// The time at which all recorded outputs were written: in Berlin, in winter.
fn local() -> LocalTime {
    let now = Timestamp::parse("2026-11-25T13:29:41Z").unwrap();
    LocalTime { now, offset_seconds: 3600 }
}

#[test]
fn any_agent_stands_any_bytes() {
    let huge =
        [b"{\"type\":\"result\",\"result\":\"".as_slice(), &[b'x'; AGENT_LINE_BYTES_MAX], b"\"}"]
            .concat();
    let deep = "{\"a\":".repeat(100_000);
    let types = ["result", "error", "assistant", "turn.completed", "step_finish", "session.error"];
    for (_, agent) in Agent::NAMED {
        let mut reader = Reader::new(agent, None);
        for junk in
            [&huge[..], deep.as_bytes(), b"", b"\r", b"{", b"{}", b"{}}", b"null", b"\xff\xfe\x00"]
        {
            reader.push(junk, local());
        }
        for kind in types {
            for rest in ["", ",\"usage\":7", ",\"message\":[]", ",\"usage\":{\"input_tokens\":-1}"]
            {
                reader.push(format!("{{\"type\":\"{kind}\"{rest}}}").as_bytes(), local());
            }
        }
        assert_eq!(reader.findings(), Findings::default(), "{agent:?}");
    }
}

#[test]
fn talk_of_limits_is_no_limit() {
    let talk = [
        "You've hit your usage limit. Try again at 3:27 PM.",
        "You've hit your 5-hour limit · resets 3pm (UTC)",
        "You have exhausted your daily quota on this model.",
        "litellm.RateLimitError: rate limit reached, 429 Too Many Requests, quota exceeded",
    ];
    for (_, agent) in Agent::NAMED {
        let mut reader = Reader::new(agent, None);
        for words in talk {
            let words = words.replace('"', "");
            let events = [
                format!(
                    r#"{{"type":"assistant","message":{{"id":"1","content":[{{"type":"text","text":"{words}"}}]}}}}"#
                ),
                format!(r#"{{"type":"user","message":{{"content":"{words}"}}}}"#),
                format!(
                    r#"{{"type":"result","subtype":"success","is_error":false,"status":"success","result":"{words}"}}"#
                ),
                format!(
                    r#"{{"type":"item.completed","item":{{"type":"agent_message","text":"{words}"}}}}"#
                ),
                format!(
                    r#"{{"type":"item.completed","item":{{"type":"error","message":"{words}"}}}}"#
                ),
                format!(r#"{{"type":"message","role":"assistant","content":"{words}"}}"#),
                format!(r#"{{"type":"tool_result","status":"error","output":"{words}"}}"#),
                format!(r#"{{"type":"text","part":{{"text":"{words}"}}}}"#),
                format!(r#"{{"type":"assistant.message","data":{{"content":"{words}"}}}}"#),
                format!("the tests say: {words}"),
                format!("# {words}"),
            ];
            for event in events {
                reader.push(event.as_bytes(), local());
                assert_eq!(reader.findings().limit, None, "{agent:?}: {event}");
            }
        }
    }
}

#[test]
fn the_space_is_bounded() {
    let mut reader = Reader::new(Agent::Claude, None);
    for n in 0..1000 {
        let line = format!(
            r#"{{"type":"assistant","message":{{"id":"{n}","usage":{{"input_tokens":2,"output_tokens":1}}}}}}"#
        );
        for _ in 0..3 {
            reader.push(line.as_bytes(), local());
        }
    }
    let usage = reader.findings().usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (2000, 1000));
    let words = "x".repeat(100_000);
    let line =
        format!(r#"{{"type":"result","is_error":true,"api_error_status":429,"result":"{words}"}}"#);
    reader.push(line.as_bytes(), local());
    let limit = reader.findings().limit.unwrap();
    assert_eq!(limit.words.chars().count(), LIMIT_WORDS_MAX);
}

#[test]
fn agents_are_started_without_a_person() {
    let mut text = String::new();
    for (name, agent) in Agent::NAMED {
        let argv = agent.argv(Some("MODEL"), "PROMPT");
        writeln!(text, "{name}: {}", argv.join(" ")).unwrap();
    }
    expect_test::expect![[r#"
        claude: claude --print --output-format stream-json --verbose --permission-mode acceptEdits --allowedTools Bash --model MODEL
        codex: codex exec --json --sandbox workspace-write --skip-git-repo-check --model MODEL -
        gemini: gemini --output-format stream-json --approval-mode auto_edit --allowed-tools run_shell_command --skip-trust --model MODEL
        aider: aider --yes-always --no-auto-commits --no-dirty-commits --no-gitignore --no-suggest-shell-commands --no-detect-urls --no-pretty --no-fancy-input --no-check-update --no-show-release-notes --no-show-model-warnings --no-analytics --input-history-file /dev/null --chat-history-file /dev/null --model MODEL --message-file PROMPT
        opencode: opencode run --format json --print-logs --log-level ERROR --model MODEL
        copilot: copilot --output-format json --allow-tool=write --allow-tool=shell --no-ask-user --no-auto-update --model MODEL
        cursor: cursor-agent --print --output-format stream-json --trust --sandbox enabled --model MODEL
    "#]].assert_eq(&text);
}
