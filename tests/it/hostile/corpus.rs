//! Texts that would do something wherever they are taken for more than text. All of them make a file
//! called `canary` in the folder in which that happens.

use std::collections::BTreeMap;

/// Commands, written in ways that pass where blanks or other characters do not.
const COMMANDS: [(&str, &str); 6] = [
    ("plain", "touch canary"),
    ("field separator", "touch${IFS}canary"),
    ("braces", "{touch,canary}"),
    ("redirection", ">canary"),
    ("tab", "touch\tcanary"),
    ("no letters in a row", "t''ouch c\\anary"),
];

/// What is put around a command, at `@`, so that a shell or a template sees it.
const AROUND: [(&str, &str); 44] = [
    ("alone", "@"),
    ("semicolon", "x;@"),
    ("semicolon on both sides", ";@;"),
    ("background", "x&@&"),
    ("and", "true&&@"),
    ("or", "false||@"),
    ("pipe", "x|@"),
    ("line", "x\n@\n"),
    ("lines of Windows", "x\r\n@\r\n"),
    ("substitution", "$(@)"),
    ("backticks", "`@`"),
    ("substitution in a variable", "${x:-$(@)}"),
    ("substitution in a sum", "$((x[$(@)]))"),
    ("out of single quotes", "';@;'"),
    ("out of double quotes", "\";@;\""),
    ("out of both quotes", "'\";@;\"'"),
    ("substitution in double quotes", "\"$(@)\""),
    ("substitution out of single quotes", "'$(@)'"),
    ("out of escaped quotes", "\\\";@;\\\""),
    ("out of an escaped single quote", "'\\'';@;'\\''"),
    ("out of ANSI quotes", "$'x\\n';@"),
    ("out of a comment", "# x\n@"),
    ("out of a here-document", "EOF\n@\nEOF"),
    ("out of a group", ");@;("),
    ("out of a brace", "};@;{"),
    ("out of an if", ";fi;@;if true"),
    ("process substitution", "<(@)"),
    ("process substitution outwards", ">(@)"),
    ("history", "!@"),
    ("alias of git", "!sh -c '@'"),
    ("address of git", "ext::sh -c '@'"),
    ("address with blanks of git", "ext::sh -c %S@"),
    ("variable before", "X=1 @"),
    ("trailing backslash", "@\\"),
    ("template with braces", "{{@}}"),
    ("template with dollars", "${{ @ }}"),
    ("template with percents", "<%= `@` %>"),
    ("template with tags", "{% @ %}"),
    ("format", "%(@)%s%n"),
    ("escaped line", "x%0a@"),
    ("written-out line", "x\\n@"),
    ("after NUL, written out", "x\\0@"),
    ("YAML tag", "!!python/object/apply:os.system ['@']"),
    ("Lisp of editors", "%{@}"),
];

/// Texts that are options where they are taken for one.
const OPTIONS: [&str; 46] = [
    "-rf",
    "--",
    "-",
    "-x",
    "--force",
    "--help",
    "--version",
    "--output=canary",
    "--output canary",
    "-o",
    "-ocanary",
    "-o canary",
    "--upload-pack=touch canary",
    "--receive-pack=touch canary",
    "--exec=touch canary",
    "-u touch canary",
    "-utouch${IFS}canary",
    "-c",
    "-ccore.fsmonitor=touch canary",
    "-c core.sshCommand=touch canary",
    "--config=core.fsmonitor=touch canary",
    "--config-env=core.pager=X",
    "--exec-path=.",
    "--git-dir=canary",
    "--work-tree=canary",
    "--template=canary",
    "--separate-git-dir=canary",
    "-oProxyCommand=touch canary",
    "-F canary",
    "--file=canary",
    "--body-file=canary",
    "--editor",
    "--web",
    "--repo=evil/evil",
    "--hostname=evil.example",
    "--open-files-in-pager=touch canary",
    "--ext-diff",
    "--textconv",
    "--index-output=canary",
    "--no-verify",
    "--delete",
    "--mirror",
    "--all",
    "--tags",
    "@canary",
    "+refs/heads/*:refs/heads/*",
];

/// Returns every text with a name that tells what it is.
pub(super) fn payloads() -> Vec<(String, String)> {
    let mut all = BTreeMap::new();
    for (around, pattern) in AROUND {
        for (how, command) in COMMANDS {
            all.insert(pattern.replace('@', command), format!("{around}, {how}"));
        }
    }
    all.extend(OPTIONS.map(|text| (text.to_owned(), format!("option {text}"))));
    assert!(all.len() >= 300, "{}", all.len());
    all.into_iter().map(|(text, name)| (name, text)).collect()
}

/// Returns the texts as names of files: without what no file name can hold.
pub(super) fn file_names() -> Vec<String> {
    let mut names: Vec<String> =
        payloads().into_iter().map(|(_, text)| text.replace('/', "_")).collect();
    // What they would make is what no file is called.
    names.retain(|name| name != super::CANARY);
    names
}
