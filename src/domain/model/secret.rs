//! Keeps the values of secret variables out of what is written and shown.

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Shorter values are not masked: they occur in every text by chance.
const LENGTH_MIN: usize = 4;

/// Returns `text` with every occurrence of the values in `secrets` masked; of a value with several
/// lines each line on its own, too.
///
/// This is no guarantee: a value that was encoded or cut in two is not found.
pub fn mask(text: &str, secrets: &[String]) -> String {
    values(secrets).into_iter().fold(text.to_owned(), |text, value| text.replace(value, MASK))
}

/// Returns what is looked for to mask `secrets`, the longest first: a value that is part of another
/// one must not leave the rest of that one.
pub fn values(secrets: &[String]) -> Vec<&str> {
    let lines = secrets.iter().flat_map(|value| value.lines().map(str::trim));
    let values = secrets.iter().map(|value| value.trim()).chain(lines);
    let mut values: Vec<&str> = values.filter(|value| value.len() >= LENGTH_MIN).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_left() {
        let secrets = ["hunter2", "hunter2-long", "key\nline two\n", "abc", ""].map(str::to_owned);
        let table = [
            ("with hunter2 and hunter2hunter2", "with *** and ******"),
            ("the hunter2-long one", "the *** one"),
            ("key line two\nkey", "key ***\nkey"),
            ("abc", "abc"),
        ];
        for (text, masked) in table {
            assert_eq!(mask(text, &secrets), masked);
        }
    }
}
