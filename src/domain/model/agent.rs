//! Coding agents that are known by name; how each is started and read lives in `domain/agent`.

/// A coding agent with a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// aider.
    Aider,
    /// opencode.
    Opencode,
    /// GitHub Copilot CLI.
    Copilot,
    /// Cursor's agent.
    Cursor,
}

impl Agent {
    /// All agents with their names.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("claude", Self::Claude),
        ("codex", Self::Codex),
        ("gemini", Self::Gemini),
        ("aider", Self::Aider),
        ("opencode", Self::Opencode),
        ("copilot", Self::Copilot),
        ("cursor", Self::Cursor),
    ];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Aider => "aider",
            Self::Opencode => "opencode",
            Self::Copilot => "copilot",
            Self::Cursor => "cursor",
        }
    }

    /// Returns the name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Cursor => "cursor-agent",
            Self::Claude
            | Self::Codex
            | Self::Gemini
            | Self::Aider
            | Self::Opencode
            | Self::Copilot => self.as_str(),
        }
    }

    /// Returns whose limits it runs into: for agents that speak to many, the name of `model` tells.
    pub fn provider(self, model: Option<&str>) -> String {
        let own = match self {
            Self::Claude => "anthropic",
            Self::Codex => "openai",
            Self::Gemini => "google",
            Self::Copilot => "github",
            Self::Cursor => "cursor",
            Self::Aider | Self::Opencode => {
                let told = model.and_then(provider_of);
                return told.unwrap_or_else(|| self.as_str().to_owned());
            }
        };
        own.to_owned()
    }
}

/// Returns the provider that the name of a model tells: `openai/gpt-5`, or a known family.
fn provider_of(model: &str) -> Option<String> {
    /// First letters of the models of one provider.
    const FAMILIES: [(&str, &str); 9] = [
        ("claude", "anthropic"),
        ("sonnet", "anthropic"),
        ("opus", "anthropic"),
        ("haiku", "anthropic"),
        ("gpt", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("gemini", "google"),
    ];
    let model = model.to_ascii_lowercase();
    if let Some((provider, _)) = model.split_once('/') {
        return match provider {
            "" => None,
            // The one name under which a library and its provider differ.
            "gemini" => Some("google".to_owned()),
            provider => Some(provider.to_owned()),
        };
    }
    let family = FAMILIES.iter().find(|(start, _)| model.starts_with(start));
    family.map(|(_, provider)| (*provider).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_that_of_the_agent_or_of_its_model() {
        let table = [
            (Agent::Claude, None, "anthropic"),
            (Agent::Claude, Some("opus"), "anthropic"),
            (Agent::Codex, Some("gpt-5"), "openai"),
            (Agent::Copilot, Some("claude-sonnet-4.5"), "github"),
            (Agent::Cursor, Some("gpt-5"), "cursor"),
            (Agent::Opencode, None, "opencode"),
            (Agent::Opencode, Some("anthropic/claude-opus-4-5"), "anthropic"),
            (Agent::Opencode, Some("opencode/grok-code"), "opencode"),
            (Agent::Aider, None, "aider"),
            (Agent::Aider, Some("sonnet"), "anthropic"),
            (Agent::Aider, Some("GPT-5"), "openai"),
            (Agent::Aider, Some("gemini/gemini-2.5-pro"), "google"),
            (Agent::Aider, Some("/x"), "aider"),
            (Agent::Aider, Some("qwen"), "aider"),
        ];
        for (agent, model, provider) in table {
            assert_eq!(agent.provider(model), provider, "{agent:?} {model:?}");
        }
    }

    #[test]
    fn every_agent_has_its_name() {
        for (name, agent) in Agent::NAMED {
            assert_eq!(agent.as_str(), name);
        }
    }
}
