//! "Did you mean": the known word that a typed one is most likely a slip of.

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
    let mut best: Option<(usize, &str)> = None;
    for word in known {
        let most = best.map_or(limit, |(distance, _)| distance.saturating_sub(1));
        if word == typed || best.is_some_and(|(distance, _)| distance == 0) {
            continue;
        }
        // Every character more or less is one edit; folding keeps the number of characters.
        if word.chars().count().abs_diff(n_characters) > most {
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
    word.chars()
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'l' | 'i' => '1',
            '_' | ' ' => '-',
            c => c,
        })
        .collect()
}

fn differ_in_digits_only(a: &str, b: &str) -> bool {
    let is_letter = |c: &char| !c.is_ascii_digit();
    a.chars().filter(is_letter).eq(b.chars().filter(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("color", &["flavor", "milestone"], None),
        ];
        for (typed, known, expected) in table {
            assert_eq!(did_you_mean(typed, known.iter().copied()), *expected, "{typed}");
        }
    }
}
