//! "Did you mean": the known word that a typed one is most likely a slip of.

use super::limits::{SUGGESTION_COMPARISONS_MAX, SUGGESTIONS_MAX};

/// Returns for how many faults a word may be looked for among `n_known` words.
pub fn n_suggestions_max(n_known: usize) -> usize {
    (SUGGESTION_COMPARISONS_MAX / n_known.max(1)).clamp(1, SUGGESTIONS_MAX)
}

/// Returns the known word nearest to `typed`, where it is near enough to be a slip.
///
/// Case, `-` against `_` and look-alikes (`O` and `0`, `l` and `1`) do not count. Words that differ
/// in their digits only are different things, not slips, unless it is one digit. Of equally near
/// words the first one wins.
pub fn did_you_mean<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(typed);
    let n_characters = folded.chars().count();
    let limit = match n_characters {
        0..=2 => 0,
        3..=7 => 1,
        8..=11 => 2,
        12..=64 => 3,
        // No name is that long, and comparing takes time.
        _ => return None,
    };
    let letters = Letters::of(typed);
    let mut best: Option<(usize, &str)> = None;
    for word in known {
        let most = best.map_or(limit, |(distance, _)| distance.saturating_sub(1));
        if word == typed || best.is_some_and(|(distance, _)| distance == 0) {
            continue;
        }
        // Every character more or less is one edit; folding keeps the number of characters.
        if word.chars().count().abs_diff(n_characters) > most
            || letters.least_distance(&Letters::of(word)) > most
        {
            continue;
        }
        let distance = strsim::osa_distance(&folded, &fold(word));
        let is_near = distance <= most && (distance < 2 || !differ_in_digits_only(typed, word));
        if is_near {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word)
}

/// Makes characters equal that are easily taken for each other.
fn fold(word: &str) -> String {
    word.chars().map(fold_character).collect()
}

fn fold_character(c: char) -> char {
    match c.to_ascii_lowercase() {
        'o' => '0',
        'l' | 'i' => '1',
        '_' | ' ' => '-',
        c => c,
    }
}

/// How often each character occurs: a cheap bound for the distance, which spares most words the
/// full comparison.
struct Letters([u8; 64]);

impl Letters {
    fn of(word: &str) -> Self {
        let mut counts = [0_u8; 64];
        for c in word.chars() {
            // Characters that share a slot only make the bound weaker.
            if let Some(slot) = counts.get_mut(fold_character(c) as usize % 64) {
                *slot = slot.saturating_add(1);
            }
        }
        Self(counts)
    }

    /// Returns a number that the distance of the two words is not below.
    fn least_distance(&self, other: &Self) -> usize {
        let (mut more, mut fewer) = (0_usize, 0_usize);
        for (own, its) in self.0.iter().zip(other.0) {
            let difference = usize::from(own.abs_diff(its));
            *(if *own > its { &mut more } else { &mut fewer }) += difference;
        }
        more.max(fewer)
    }
}

fn differ_in_digits_only(a: &str, b: &str) -> bool {
    let is_letter = |c: &char| !c.is_ascii_digit();
    a.chars().filter(is_letter).eq(b.chars().filter(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_words_are_not_compared() {
        let endless = "x".repeat(100_000);
        assert_eq!(did_you_mean(&endless, [endless.as_str(), "x"].into_iter()), None);
        assert_eq!(did_you_mean("title", [endless.as_str(), "titel"].into_iter()), Some("titel"));
    }

    #[test]
    fn only_slips_are_suggested() {
        let table: &[(&str, &[&str], Option<&str>)] = &[
            ("API-01O", &["API-001", "API-010", "API-011"], Some("API-010")),
            ("api-010", &["API-001", "API-010"], Some("API-010")),
            ("API_010", &["API-010"], Some("API-010")),
            ("depends-on", &["depends_on", "title"], Some("depends_on")),
            ("titel", &["title", "tags"], Some("title")),
            ("depend_no", &["depends_on", "title"], Some("depends_on")),
            ("bakend", &["backend", "frontend"], Some("backend")),
            ("x", &["y"], None),
            ("ab", &["ac"], None),
            ("API-045", &["API-010", "API-999"], None),
            ("FRONTEND-045", &["FRONTEND-199"], None),
            ("FRONTEND-045", &["FRONTEND-046", "FRONTEND-199"], Some("FRONTEND-046")),
            ("same", &["same"], None),
            ("", &["a"], None),
            ("ab-cdef", &["ba-cdef"], Some("ba-cdef")),
            ("größe-neu", &["grösse-neu", "größe_nue"], Some("größe_nue")),
            ("color", &["flavor", "milestone"], None),
        ];
        for (typed, known, expected) in table {
            assert_eq!(did_you_mean(typed, known.iter().copied()), *expected, "{typed}");
        }
    }
}
