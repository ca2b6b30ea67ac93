//! "Did you mean …?": the known word that is nearest to a misspelt one.

/// The candidate with the fewest edits, if there are few enough to be a slip.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wrong.chars().count() / 3).max(1);
    known
        .map(|word| (distance(&wrong.to_ascii_lowercase(), &word.to_ascii_lowercase()), word))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// The end of a message.
pub(super) fn did_you_mean(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// Levenshtein's distance, one row of the matrix at a time.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_none() {
        let known = ["code_ttl_s", "id_token_ttl_s", "refresh_token_ttl_s"];
        assert_eq!(nearest("code_tll_s", known.into_iter()), Some("code_ttl_s"));
        assert_eq!(nearest("code_ttl", known.into_iter()), Some("code_ttl_s"));
        assert_eq!(nearest("banana", known.into_iter()), None);
    }

    #[test]
    fn the_distance_counts_single_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
