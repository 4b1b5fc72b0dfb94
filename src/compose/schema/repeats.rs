//! Items of a list that is to have each once, as the validator of docker compose compares them: a number also equals an
//! earlier text that reads as it (`["80", 80]`), but not the other way round.

use std::collections::BTreeSet;

use crate::compose::project::record::untyped;
use crate::compose::yaml::{Mark, Node, Value};

/// In longer lists a number and a text are never compared.
const COMPARED_MAX: usize = 20;

/// The places of items that are repetitions of earlier ones.
pub(super) fn of(items: &[Node]) -> Vec<usize> {
    if items.len() > COMPARED_MAX {
        let mut seen = BTreeSet::new();
        return (0..items.len()).filter(|index| !seen.insert(untyped(&items[*index]).to_string())).collect();
    }
    (0..items.len()).filter(|index| items[..*index].iter().any(|earlier| repeats(&items[*index], earlier))).collect()
}

fn repeats(item: &Node, earlier: &Node) -> bool {
    match (&item.value, &earlier.value) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_) | Value::String(_)) => {
            let numbers = [item, earlier].map(|node| node.print().as_deref().and_then(number));
            numbers[0].is_some() && numbers[0] == numbers[1]
        }
        (Value::Seq(items), Value::Seq(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(item, other)| repeats(item, other))
        }
        (Value::Map(map), Value::Map(other)) => {
            let same = |(key, entry): (&String, &crate::compose::yaml::Entry)| {
                other.get(key).is_some_and(|other| repeats(&entry.node, &other.node))
            };
            map.len() == other.len() && map.iter().all(same)
        }
        _ => (item.mark == Mark::Timestamp) == (earlier.mark == Mark::Timestamp) && item.same(earlier),
    }
}

/// What a text is as a number: decimal, with a prefix of another base, or a fraction.
fn number(text: &str) -> Option<f64> {
    if let Some((above, below)) = text.split_once('/') {
        return Some(number(above)? / number(below).filter(|below| *below > 0.0)?);
    }
    let digits = text.trim_start_matches(['-', '+']);
    let radix = match digits.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return text.parse().ok().filter(|number: &f64| number.is_finite()),
    };
    let size = u32::from_str_radix(&digits[2..], radix).ok().map(f64::from)?;
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::compose::yaml::parse;

    #[test]
    fn a_number_repeats_an_earlier_text_that_reads_as_it() {
        let cases: [(&str, &[usize]); 10] = [
            ("[a, b]", &[]),
            ("[a, b, a]", &[2]),
            ("['1', 1]", &[1]),
            ("[a, !override a]", &[1]),
            ("[1, '1']", &[]),
            ("['0x1', '2/2', x, 1.0]", &[3]),
            ("[' 1', 1]", &[]),
            ("[{p: '80', t: 1}, {p: 80, t: 1}]", &[1]),
            ("[{p: 80}, {p: '80'}, {p: 81}]", &[]),
            ("['1', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20]", &[21]),
        ];
        for (text, expected) in cases {
            let list = parse("list", text).unwrap();
            assert_eq!(of(list.as_seq().unwrap()), expected, "{text}");
        }
    }
}
