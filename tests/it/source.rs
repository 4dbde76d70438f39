//! The files of this repository as text, for the tests that check house rules.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Below the repository root, with `/`.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) text: String,
}

impl Source {
    /// Returns the module path of a file below `root`: `src/a/b.rs` and `src/a/b/mod.rs` are `a, b`.
    pub(crate) fn module(&self, root: &str) -> Vec<String> {
        let below = self.path.strip_prefix(root).unwrap_or(&self.path).trim_start_matches('/');
        let name = below.strip_suffix(".rs").unwrap_or(below);
        let name = name.strip_suffix("/mod").unwrap_or(name);
        match name {
            "lib" | "main" | "mod" => Vec::new(),
            _ => name.split('/').map(str::to_owned).collect(),
        }
    }
}

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file below the root; `None` where it is not there.
pub(crate) fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// Reads all Rust files below `folder`, sorted by path; none where the folder is not there.
pub(crate) fn read_rust(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(next) = open.pop() {
        for path in list(&next) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let source = |path: &PathBuf| Source {
        path: relative(path),
        text: fs::read_to_string(path)
            .unwrap_or_else(|e| panic!("failed to read {}: {e}", path.display())),
    };
    paths.iter().map(source).collect()
}

/// Returns the sorted names of the folders in `folder`; none where it is not there.
pub(crate) fn folders(folder: &str) -> Vec<String> {
    let is_folder = |path: &PathBuf| path.is_dir();
    list(&root().join(folder)).into_iter().filter(is_folder).map(|p| file_name(&p)).collect()
}

/// Counts the files below `folder`.
pub(crate) fn n_files(folder: &str) -> usize {
    let below = |path: PathBuf| if path.is_dir() { n_files(&relative(&path)) } else { 1 };
    list(&root().join(folder)).into_iter().map(below).sum()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn relative(path: &Path) -> String {
    let below = path.strip_prefix(root()).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

/// Blanks comments, strings and characters; every line keeps its number.
pub(crate) fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_literal(&chars, at);
        if let Some(end) = end {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        } else {
            code.push(chars[at]);
        }
        at = end.unwrap_or(at + 1);
    }
    code
}

/// Returns where the comment or literal that starts at `at` ends; `None` where none starts.
fn end_of_literal(chars: &[char], at: usize) -> Option<usize> {
    let get = |i: usize| chars.get(i).copied().unwrap_or('\n');
    match (get(at), get(at + 1)) {
        ('/', '/') => Some(find(chars, at, |i| get(i) == '\n')),
        ('/', '*') => Some(end_of_block_comment(chars, at)),
        ('"', _) => Some(end_of_quoted(chars, at, '"')),
        ('\'', '\\') => Some(end_of_quoted(chars, at, '\'')),
        ('\'', _) if get(at + 2) == '\'' => Some(at + 3),
        ('r', '"' | '#') => {
            let n_hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let open = at + 1 + n_hashes;
            let is_end =
                |i: usize| i > open && get(i) == '"' && (1..=n_hashes).all(|n| get(i + n) == '#');
            (get(open) == '"').then(|| (find(chars, open, is_end) + 1 + n_hashes).min(chars.len()))
        }
        _ => None,
    }
}

fn find(chars: &[char], from: usize, is_it: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|i| is_it(*i)).unwrap_or(chars.len())
}

fn end_of_quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    chars.len()
}

/// Blanks every item under `#[cfg(test)]` in the result of [`code_of`].
pub(crate) fn without_tests(code: &str) -> String {
    let mut rest = code.to_owned();
    while let Some(start) = ["#[cfg(test)]", "#[cfg(all(test"].iter().find_map(|m| rest.find(m)) {
        let end = end_of_item(&rest, start);
        let blank: String =
            rest[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        rest.replace_range(start..end, &blank);
    }
    rest
}

/// Returns where the item whose attributes start at `start` ends: at its `;` or closing brace.
fn end_of_item(code: &str, start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (offset, c) in code[start..].char_indices() {
        match c {
            '[' | '(' => brackets += 1,
            ']' | ')' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => continue,
        }
        if c == '}' && braces == 0 {
            return start + offset + 1;
        }
        if c == ']' && braces + brackets == 0 {
            // The end of an attribute: an item without a body ends at the next semicolon.
            let rest = &code[start + offset + 1..];
            let semicolon = rest.find(';').unwrap_or(rest.len());
            if !rest[..semicolon].contains(['{', '#']) {
                return (start + offset + 2 + semicolon).min(code.len());
            }
        }
    }
    code.len()
}

/// Returns the names in `mod name;` lines of `code`, and whether each is under `#[cfg(test)]`.
pub(crate) fn declared_modules(code: &str) -> Vec<(String, bool)> {
    let outside_tests = without_tests(code);
    let names = |code: &str| -> Vec<String> {
        code.split(';')
            .filter_map(|item| item.rsplit_once("mod ").map(|(_, name)| name.trim().to_owned()))
            .filter(|name| {
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            })
            .collect()
    };
    let always = names(&outside_tests);
    names(code).into_iter().map(|name| (name.clone(), !always.contains(&name))).collect()
}

#[test]
fn comments_and_literals_are_blanked_and_lines_kept() {
    let text =
        "a // crate::io\nb \"crate::io\n\\\"\" c r#\"x\"y\"# d\n'\\'' 'e' &'f /* /* g */ */ h";
    let blanked = code_of(text);
    let words: Vec<&str> = blanked.split_whitespace().collect();
    assert_eq!(words, ["a", "b", "c", "d", "&'f", "h"]);
    assert_eq!(blanked.lines().count(), text.lines().count());
}

#[test]
fn items_under_cfg_test_are_blanked() {
    let code = "#[cfg(test)]\n#[expect(x)]\nmod tests {\n fn f() {}\n}\nkept\n#[cfg(test)]\nmod more;\nuse a;\n";
    let left = without_tests(code);
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["kept", "use", "a;"]);
    let modules = declared_modules("mod a;\npub mod b;\n#[cfg(test)]\nmod c;\nmod d {}\n");
    let expected = [("a", false), ("b", false), ("c", true)];
    assert_eq!(modules, expected.map(|(name, is_test)| (name.to_owned(), is_test)));
}
