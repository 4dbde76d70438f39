//! The id of a new task for which its author named none.

use std::collections::{BTreeMap, BTreeSet};

use super::id::TaskId;

/// Longest id that is made from a title.
const SLUG_LENGTH_MAX: usize = 40;

/// Returns the next number where most of the `known` ids are numbered like `API-012`, else an id
/// made from the title. It differs from all `known` and `taken` ones by more than case.
pub fn next_id<'a>(
    known: impl IntoIterator<Item = &'a str>,
    taken: impl IntoIterator<Item = &'a str>,
    title: &str,
) -> TaskId {
    let known: Vec<&str> = known.into_iter().collect();
    let lower: BTreeSet<String> =
        known.iter().copied().chain(taken).map(str::to_ascii_lowercase).collect();
    let is_free = |id: &TaskId| !lower.contains(&id.as_str().to_ascii_lowercase());
    if let Some(series) = Series::of(&known)
        && let Some(next) = series.last.checked_add(1)
        && let Some(id) = (next..u64::MAX).map_while(|n| series.id(n)).find(is_free)
    {
        return id;
    }
    let slug = slug(title);
    let numbered = (2..).filter_map(|n: u64| TaskId::parse(&format!("{slug}-{n}")).ok());
    let mut candidates = TaskId::parse(&slug).into_iter().chain(numbered);
    match candidates.find(is_free) {
        Some(id) => id,
        None => unreachable!("there are more numbers than tasks"),
    }
}

/// Ids that differ in their number.
struct Series<'a> {
    prefix: &'a str,
    width: usize,
    last: u64,
}

impl<'a> Series<'a> {
    /// Finds the series that more than half of `ids` belong to.
    fn of(ids: &[&'a str]) -> Option<Self> {
        let mut by_prefix: BTreeMap<&str, (usize, u64, usize)> = BTreeMap::new();
        for (prefix, digits) in ids.iter().filter_map(|id| split(id)) {
            let Ok(number) = digits.parse::<u64>() else { continue };
            let (n, last, width) = by_prefix.entry(prefix).or_default();
            *n += 1;
            if number >= *last {
                (*last, *width) = (number, digits.len());
            }
        }
        let (prefix, (n, last, width)) = by_prefix.into_iter().max_by_key(|(_, (n, ..))| *n)?;
        (2 * n > ids.len()).then_some(Self { prefix, width, last })
    }

    fn id(&self, number: u64) -> Option<TaskId> {
        let Self { prefix, width, .. } = self;
        TaskId::parse(&format!("{prefix}{number:0width$}")).ok()
    }
}

/// Splits `API-012` into `API-` and `012`.
fn split(id: &str) -> Option<(&str, &str)> {
    let prefix = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = id.get(prefix.len()..)?;
    let is_numbered = !digits.is_empty() && prefix.ends_with(['-', '_', '.']);
    is_numbered.then_some((prefix, digits))
}

/// Makes an id from a title: `Größe prüfen!` → `groesse-pruefen`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_alphanumeric()) {
        let word: String = word.chars().flat_map(char::to_lowercase).map(ascii).collect();
        if word.is_empty() {
            continue;
        }
        let n_characters = slug.len() + word.len() + usize::from(!slug.is_empty());
        if n_characters > SLUG_LENGTH_MAX && !slug.is_empty() {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().take(SLUG_LENGTH_MAX));
    }
    match TaskId::parse(&slug) {
        Ok(_) => slug,
        // Nothing is left of it, or it is a name that ids must not have.
        Err(_) => ["task", &slug].join("-").trim_end_matches('-').to_owned(),
    }
}

/// Returns the letters that stand for `c` where only ASCII may; none where there is no custom.
fn ascii(c: char) -> String {
    if c.is_ascii_alphanumeric() {
        return c.to_string();
    }
    let letters = match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' | 'ø' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'ù' | 'ú' | 'û' => "u",
        'ý' | 'ÿ' => "y",
        _ => "",
    };
    letters.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_and_titles_become_names() {
        let table: &[(&[&str], &str, &str)] = &[
            (&["API-009", "API-012", "DOC"], "x", "API-013"),
            (&["API-9", "API-10"], "x", "API-11"),
            (&["T_099"], "x", "T_100"),
            (&["a.1", "b.1"], "New thing", "new-thing"),
            (&["v2", "v3"], "New thing", "new-thing"),
            (&[], "Rate limiting", "rate-limiting"),
            (&[], "  API: `x` -> y/z  ", "api-x-y-z"),
            (&[], "Größe prüfen!", "groesse-pruefen"),
            (&[], "漢字", "task"),
            (&["task", "TASK-2"], "漢字", "task-3"),
            (&[], "Con", "task-con"),
            (&[], "COM1", "task-com1"),
            (&["Fix-It"], "fix it", "fix-it-2"),
            (&["A-18446744073709551615"], "next", "next"),
            (
                &[],
                "a very long title that goes on and on without an end",
                "a-very-long-title-that-goes-on-and-on",
            ),
        ];
        for (known, title, expected) in table {
            let id = next_id(known.iter().copied(), [], title);
            assert_eq!(id.as_str(), *expected, "{known:?} {title:?}");
        }
        let long = next_id([], [], &"x".repeat(200));
        assert_eq!(long.as_str().len(), SLUG_LENGTH_MAX);
        assert_eq!(next_id(["A-1"], ["a-2"], "x").as_str(), "A-3");
    }
}
