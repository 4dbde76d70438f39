//! A request to merge the branch of the plan: what it says, and what became of it.

mod body;

pub use self::body::{body, title};

use super::{
    escape::{clean, clean_line},
    figures::counted,
};
use crate::app::view::pr::RequestView;

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 9;

/// Says what became of the request.
pub fn render(view: &RequestView) -> String {
    let commit: String = view.commit.chars().take(COMMIT_DIGITS).collect();
    let (branch, remote) = (clean_line(&view.branch), clean_line(&view.remote));
    let commits = counted(view.n_commits, "commit");
    let pushed = match view.is_pushed {
        true => format!("pushed {branch} ({commit}, {commits}) to {remote}"),
        false => format!("{branch} ({commit}, {commits}) is at {remote} already"),
    };
    let number = view.number.map(|number| format!(" {}{number}", view.sign)).unwrap_or_default();
    let url = view.url.as_deref().map_or_else(String::new, |url| format!(": {}", clean_line(url)));
    format!("{pushed}\n{} the {}{number}{url}\n", view.action, view.noun)
}

/// Says what would be pushed and called, with all that would be sent.
pub fn render_dry_run(view: &RequestView) -> String {
    let commands: Vec<String> = view.commands.iter().map(|words| command(words)).collect();
    let (push, calls) = commands.split_first().map_or(("", &[][..]), |(p, c)| (p.as_str(), c));
    let (remote, base) = (clean_line(&view.remote), clean_line(&view.base));
    let commits = counted(view.n_commits, "commit");
    let push_url = clean_line(&view.push_url);
    let mut text = format!(
        "would push {commits} that {base} has not, to {remote} ({push_url})\n  {push}\n\n\
         would open a {noun}, or give title and body to the one that is open\n",
        noun = view.noun,
    );
    text.extend(calls.iter().map(|call| format!("  {call}\n")));
    if let Some(home) = view.program_home {
        text = format!("{text}  but `{}` is not installed: it comes from {home}\n", view.program);
    }
    let indented = |text: &str| {
        let lines = text.lines().map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("  {line}\n"),
        });
        lines.collect::<String>()
    };
    let (title, body) = (indented(&clean_line(&view.title)), indented(&clean(&view.body)));
    format!("{text}\ntitle\n{title}\nbody\n{body}\nnothing was pushed or opened\n")
}

/// Returns a command as it could be typed.
fn command(words: &[String]) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=/.,:@+…".contains(c);
    let quoted = words.iter().map(|word| {
        let word = clean_line(word);
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word.into_owned(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}
