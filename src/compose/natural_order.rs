//! The order in which docker compose's YAML writes the keys of mappings: numbers in names by their value, letters last.

use std::cmp::Ordering;

/// Sorts by key. The order is not total for odd names, so this is a merge sort of our own, which does not mind.
pub(crate) fn sort<T>(items: Vec<(String, T)>) -> Vec<(String, T)> {
    if items.len() < 2 {
        return items;
    }
    let mut left = items;
    let right = sort(left.split_off(left.len() / 2));
    let left = sort(left);
    let mut out = Vec::with_capacity(left.len() + right.len());
    let mut right = right.into_iter().peekable();
    for item in left {
        while let Some(smaller) = right.next_if(|other| compare(&other.0, &item.0) == Ordering::Less) {
            out.push(smaller);
        }
        out.push(item);
    }
    out.extend(right);
    out
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    let after_digit = at > 0 && a[at - 1].is_numeric();
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => a[at].cmp(&b[at]),
        // A letter comes last, but first where it ends a number (`a1b` before `a1-`).
        (true, false) if after_digit => Ordering::Less,
        (false, true) if after_digit => Ordering::Greater,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            // A zero inside a number counts, a leading one does not.
            let begun = (a[at] == '0' || b[at] == '0')
                && a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
            let (x, y) = (number(&a[at..], begun), number(&b[at..], begun));
            x.cmp(&y).then(a[at].cmp(&b[at]))
        }
    }
}

/// The value of the digits at the start, and how many they are.
fn number(text: &[char], begun: bool) -> (u64, usize) {
    let digits: Vec<u64> = text.iter().map_while(|c| c.to_digit(10)).map(u64::from).collect();
    let value = digits.iter().fold(u64::from(begun), |sum, digit| sum.wrapping_mul(10).wrapping_add(*digit));
    (value, digits.len())
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_by_value_and_letters_last() {
        let keys = ["ENABLED", "ENABLE_A", "a10", "a9", "a1b", "a1-", "b", "a", "é", "-"];
        let sorted = super::sort(keys.map(|key| (key.to_owned(), ())).to_vec());
        let sorted: Vec<&str> = sorted.iter().map(|(key, ())| key.as_str()).collect();
        assert_eq!(sorted, ["-", "ENABLE_A", "ENABLED", "a", "a1b", "a1-", "a9", "a10", "b", "é"]);
    }
}
