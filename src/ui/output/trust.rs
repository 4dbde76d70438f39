//! What would be executed, for a person who is to approve it.

use anstyle::AnsiColor;

use super::{Style, escape::clean_line, figures::counted};
use crate::app::view::trust::{PartView, TrustView, Trusted};

/// Renders what is to be approved: what is new whole, what changed as what it was and what it is.
pub fn render(view: &TrustView, style: Style) -> String {
    let page = Page { style };
    let mut text = String::new();
    if let Some(folder) = &view.approved_folder {
        text.push_str("everything in ");
        text.push_str(&clean_line(folder));
        text.push_str(" is approved, by your own settings\n");
    }
    for part in &view.parts {
        text.push_str(&page.part(part));
        text.push('\n');
    }
    text.push_str(&last_line(view));
    text
}

/// Renders what was approved.
pub fn render_approved(trusted: &Trusted) -> String {
    let what = counted(trusted.approved.len(), "part");
    match trusted.n_waiting {
        0 => format!("approved {what}; nothing else waits\n"),
        n => format!(
            "approved {what}; {} still waiting: `orch trust` shows it\n",
            counted(n, "part")
        ),
    }
}

fn last_line(view: &TrustView) -> String {
    match (view.n_waiting, view.is_known) {
        (0, _) => format!(
            "nothing waits for approval: {} would be executed as approved\n",
            counted(view.n_approved, "part")
        ),
        (n, false) => format!("nothing of this plan is approved yet: {}\n", counted(n, "part")),
        (n, true) => format!(
            "{} for approval\n",
            if n == 1 { "1 part waits".to_owned() } else { format!("{n} parts wait") }
        ),
    }
}

struct Page {
    style: Style,
}

impl Page {
    fn part(&self, part: &PartView) -> String {
        let name = self.style.paint(AnsiColor::Yellow.on_default().bold(), &clean_line(&part.name));
        let line = part.line.map_or_else(String::new, |line| format!(":{line}"));
        let why = match &part.waits {
            Some(why) if part.approved_facts.is_some() => format!("  ({})", clean_line(why)),
            Some(_) | None => String::new(),
        };
        let mut lines = vec![format!("{name}  {}{line}{why}", clean_line(&part.path))];
        for (at, argv) in part.argv.iter().enumerate() {
            let is_check = at > 0 && part.isolation.is_some();
            let label = if is_check { "verified by" } else { "starts" };
            lines.push(format!("    {label}: {}", shown(argv)));
        }
        if let Some(folder) = &part.folder {
            let apart = match part.isolation.as_deref() {
                Some("none") | None => "",
                Some(isolation) => isolation,
            };
            let apart = if apart.is_empty() { String::new() } else { format!(" ({apart})") };
            lines.push(format!("    in: {}{apart}", clean_line(folder)));
        }
        if !part.environment.is_empty() {
            lines.push(format!("    variables: {}", clean_line(&part.environment.join(", "))));
        }
        lines.extend(self.facts(part));
        lines.join("\n") + "\n"
    }

    /// Returns what is so, or where it was approved before, what is different.
    fn facts(&self, part: &PartView) -> Vec<String> {
        let Some(before) = part.approved_facts.as_ref().filter(|_| part.waits.is_some()) else {
            // What is started is told with each word for itself.
            let is_told = |fact: &&String| {
                part.folder.is_none()
                    || !["run: ", "verify: ", "isolation: "]
                        .iter()
                        .any(|start| fact.starts_with(start))
            };
            let facts = part.facts.iter().filter(is_told);
            return facts.map(|fact| format!("    {}", clean_line(fact))).collect();
        };
        let gone = before.iter().filter(|fact| !part.facts.contains(fact));
        let new = part.facts.iter().filter(|fact| !before.contains(fact));
        let paint = |color: AnsiColor, sign: &str, fact: &str| {
            self.style.paint(color.on_default(), &format!("  {sign} {}", clean_line(fact)))
        };
        let gone = gone.map(|fact| paint(AnsiColor::Red, "-", fact));
        let new = new.map(|fact| paint(AnsiColor::Green, "+", fact));
        let lines: Vec<String> = gone.chain(new).collect();
        match lines.is_empty() {
            true => vec!["    nothing that is shown here, but limits or times".to_owned()],
            false => lines,
        }
    }
}

/// Returns words as a shell would have to be told them.
fn shown(argv: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-$".contains(c);
    let word = |word: &String| match !word.is_empty() && word.chars().all(is_plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    clean_line(&argv.iter().map(word).collect::<Vec<_>>().join(" ")).into_owned()
}
