//! How a command that someone wrote is started: directly where that means the same, else by a shell.

use super::task::CommandLine;

/// Words that only a shell understands, or that mean something else inside of one.
const SHELL_WORDS: &[&str] = &[
    ".", ":", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "declare",
    "disown", "do", "done", "elif", "else", "esac", "eval", "exec", "exit", "export", "fg", "fi",
    "for", "function", "getopts", "hash", "if", "in", "jobs", "let", "local", "popd", "pushd",
    "read", "readonly", "return", "select", "set", "shift", "shopt", "source", "test", "then",
    "time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until",
    "wait", "while",
];

/// Returns program and arguments for `command`.
///
/// A text of plain words only is run directly, which is twice as fast as a shell around it; any
/// other text is handed to `sh -c` as it stands. A list of words is never split again.
pub fn argv(command: &CommandLine) -> Vec<String> {
    match command {
        CommandLine::Words(words) => words.clone(),
        CommandLine::Text(text) => plain_words(text)
            .unwrap_or_else(|| vec!["sh".to_owned(), "-c".to_owned(), text.clone()]),
    }
}

/// Returns the words of `text`; `None` where it takes a shell to understand it.
fn plain_words(text: &str) -> Option<Vec<String>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    let program = words.first()?;
    let needs_shell = program.contains('=')
        || SHELL_WORDS.contains(program)
        || !words.iter().all(|word| word.chars().all(is_plain));
    (!needs_shell).then(|| words.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_run_without_a_shell() {
        let direct = [
            "true",
            "./work.sh",
            "cargo test -p limit --lib",
            "  make   all ",
            "git log --format=%H,x HEAD@1",
            "a\tb",
            "env A=1 true",
        ];
        for text in direct {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            assert_eq!(argv(&CommandLine::Text(text.to_owned())), words, "{text:?}");
        }
        let shell = [
            "",
            " ",
            "a | b",
            "a && b",
            "a; b",
            "a\nb",
            "echo $HOME",
            "echo `x`",
            "ls *.md",
            "a > b",
            "echo 'a b'",
            "echo \"a\"",
            "echo a\\ b",
            "A=1 make",
            "cd src",
            "exit 1",
            ". ./env",
            ": nothing",
            "[ -f x ]",
            "test -f x",
            "! true",
            "{ a",
            "(a)",
            "~/bin/x",
            "a # b",
            "a?",
            "été",
            "a &",
            "exec x",
            "while true",
            "a\u{a0}b",
            "\ra",
        ];
        for text in shell {
            assert_eq!(argv(&CommandLine::Text(text.to_owned())), ["sh", "-c", text], "{text:?}");
        }
    }

    #[test]
    fn a_list_of_words_stays_as_it_is() {
        let words = ["cd", "a b", "$(x)", ""].map(str::to_owned).to_vec();
        assert_eq!(argv(&CommandLine::Words(words.clone())), words);
    }
}
