//! Each operator, its nesting and its faults.

use super::*;

fn put(text: &str) -> Result<String, String> {
    let lookup = |name: &str| match name {
        "FOO" => Some("first".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    interpolate(text, &lookup).map(|out| out.text).map_err(|error| error.to_string())
}

#[test]
fn operators() {
    for (text, expected) in [
        ("$FOO ${FOO}.", "first first."),
        ("$$FOO $ $1 a$", "$FOO $ $1 a$"),
        ("${X:-a}${X-b}${EMPTY:-c}${EMPTY-d}", "abc"),
        ("${FOO:+a}${X:+b}${EMPTY:+c}${EMPTY+d}", "ad"),
        ("${X:-${Y:-${FOO}}}", "first"),
        ("${X:-{\"a\": 1}} ${FOO}", "{\"a\": 1} first"),
        ("${X:-a-b?c}", "a-b?c"),
        ("${FOO:?no} ${EMPTY?no}", "first "),
        ("$X", ""),
        ("${X:-a}\n${X:-b}", "a\nb"),
        ("${FOO:-x}}", "first}"),
    ] {
        assert_eq!(put(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn faults() {
    assert_eq!(put("${X:?give it}").unwrap_err(), "required variable X is missing a value: give it");
    assert_eq!(put("${EMPTY:?}").unwrap_err(), "required variable EMPTY is missing a value");
    for text in ["${", "${}", "${FOO", "${FOO!}", "${X:-a\nb}", "${1}"] {
        assert!(put(text).unwrap_err().starts_with("invalid interpolation format"), "{text}");
    }
    assert!(put(&"${X:-".repeat(60_000)).is_err());
    assert!(put(&format!("{}{}", "${X:-".repeat(100), "}".repeat(100))).unwrap_err().contains("nested"));
}

#[test]
fn a_long_line_takes_linear_time() {
    let text = "${X:-a}".repeat(200_000);
    let started = std::time::Instant::now();
    assert_eq!(put(&text).unwrap().len(), 200_000);
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn origin_is_told_by_what_was_put_in() {
    let none = |_: &str| None;
    assert!(!interpolate("a$$b", &none).unwrap().changed);
    assert!(interpolate("a${B:-c}", &none).unwrap().changed);
}
