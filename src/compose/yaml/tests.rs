//! What the tree must hold, and what must be refused.

use super::*;

fn read(text: &str) -> Node {
    parse("a.yaml", text).unwrap()
}

fn fault(text: &str) -> String {
    parse("a.yaml", text).unwrap_err().to_string()
}

#[test]
fn scalars_are_read_as_docker_compose_reads_them() {
    let cases = [
        ("yes", "string yes"),
        ("True", "boolean true"),
        ("~", "null <nil>"),
        ("017", "integer 15"),
        ("0o17", "integer 15"),
        ("08", "number 8"),
        ("1_000", "integer 1000"),
        ("0x1F", "integer 31"),
        ("1e6", "number 1e+06"),
        (".5", "number 0.5"),
        ("123456789.5", "number 1.234567895e+08"),
        ("100000.0", "number 100000"),
        ("0.00001", "number 1e-05"),
        ("-1", "integer -1"),
        ("1.2.3", "string 1.2.3"),
        ("'1'", "string 1"),
        ("!!str 1", "string 1"),
        ("!mine 1", "string 1"),
        ("2024-01-01", "date 2024-01-01"),
        ("2024-1-1 1:2:3.4", "date 2024-1-1 1:2:3.4"),
        ("2024-02-29t01:02:03+01:00", "date 2024-02-29t01:02:03+01:00"),
        ("2024-02-30", "string 2024-02-30"),
        ("2024-01-01 01:02:03 -5", "string 2024-01-01 01:02:03 -5"),
        ("99999999999999999999", "number 1e+20"),
        ("12:30", "string 12:30"),
        ("-", "string -"),
    ];
    for (text, expected) in cases {
        let text = if text == "-" { "\"-\"" } else { text };
        let node = read(&format!("a: {text}\n"));
        let value = node.get("a").unwrap();
        assert_eq!(format!("{} {}", value.kind(), value.print().unwrap()), expected, "{text}");
    }
}

#[test]
fn keys_and_values_know_their_place() {
    let node = read("services:\n  web:\n    image: nginx\n");
    let web = &node.get("services").unwrap().as_map().unwrap()["web"];
    assert_eq!(web.key_at.text(), "a.yaml:2:3");
    assert_eq!(web.node.get("image").unwrap().at.text(), "a.yaml:3:12");
}

/// What readers of YAML differ in. Each line is what docker compose's reader says.
#[test]
fn what_readers_differ_in_is_read_as_docker_compose_reads_it() {
    let values = [
        ("{a: x:}", "{a: 'x:'}"),
        ("[a:, b:c]", "['a:', 'b:c']"),
        ("{a: b, c}", "{a: b, c: null}"),
        ("[a: b]", "[{a: b}]"),
        ("! 1", "1"),
        ("a b\n   # c\n", "a b"),
        ("\n- b\n- c", "[b, c]"),
        ("|+\n  b\n\n", "\"b\\n\\n\""),
        (">\n  b\n  c\n\n  d\n   e\n", "\"b c\\nd\\n e\\n\""),
        ("\"b \\\n   c\\td\"", "\"b c\\td\""),
        ("'b\n  c\n\n  d'", "\"b c\\nd\""),
        ("b\tc \t # d", "\"b\\tc\""),
        ("b\n# c\n\t\n  \t# d\n", "b"),
    ];
    for (text, same) in values {
        let value = |text: &str| read(&format!("a: {text}")).get("a").cloned().unwrap();
        assert!(value(text).same(&value(same)), "{text}: {:?}", value(text).value);
    }
    let refused = [
        ("a: [b?c]", "did not find expected ',' or ']'"),
        ("a: {b: ::1}", "did not find expected node content"),
        ("a: [!b]", "did not find expected ',' or ']'"),
        ("a: b\n\t\n", "a tab character that violates indentation"),
        ("a: 'b'\n\t\n", "cannot start any token"),
        ("a: b # c\n\t\n  # d\n", "cannot start any token"),
        ("a:\n- \tb=c", "cannot start any token"),
        ("a: |\n\tb\n", "a tab character where an indentation space is expected"),
        ("%YAML 1.2\n---\na: b\n", "incompatible YAML document"),
        ("a: &b.c d", "did not find expected alphabetic or numeric character"),
        ("a: \"b\\/c\"", "unknown escape character"),
        ("a: \"\\ud83d\"", "invalid Unicode character escape code"),
        ("a: *b", "unknown anchor 'b' referenced"),
        ("a: b\n c: d", "mapping values are not allowed in this context"),
        ("a: b\n...\nc", "did not find expected <document start>"),
        ("a: b\n\u{feff}# c\n", "could not find expected ':'"),
        ("a: \u{1}", "control characters are not allowed"),
        ("a: 'b", "found unexpected end of stream"),
        ("a:\n  b: c\n d: e", "did not find expected key"),
        ("a: b\nc\n", "could not find expected ':'"),
    ];
    for (text, expected) in refused {
        assert!(fault(text).contains(expected), "{text}: {}", fault(text));
    }
}

#[test]
fn anchors_hold_through_all_documents() {
    let documents = parse_all("a.yaml", "x: &b 1\n---\nx: *b\n*b : y\n");
    assert!(documents.unwrap_err().message.contains("non-string key"));
    let documents = parse_all("a.yaml", "x: &b k\n---\nx: *b\n*b: y\n").unwrap();
    assert_eq!(documents[1].get("k").and_then(Node::print).as_deref(), Some("y"));
    let merged = read("x: &b {c: d}\ny:\n  !!merge <<: *b\n");
    assert!(merged.get("y").unwrap().get("c").is_some());
}

#[test]
fn raw_text_is_kept_where_the_value_lost_it() {
    assert_eq!(read("a: 2.50").get("a").unwrap().raw.as_deref(), Some("2.50"));
}

#[test]
fn aliases_copy_and_merge_keys_lose_to_own_fields() {
    let node = read("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: {<<: [{a: 5}, *x]}\n");
    let print = |outer: &str, key: &str| node.get(outer).unwrap().get(key).unwrap().print().unwrap();
    assert_eq!(
        (print("y", "a"), print("y", "b"), print("z", "a"), print("z", "b")),
        ("1".into(), "3".into(), "5".into(), "2".into())
    );
}

#[test]
fn faults_point_at_the_line() {
    assert!(fault("a: 1\nb: 2\na: 3\n").starts_with("a.yaml:3:1: mapping key `a` is already defined at line 1"));
    assert!(fault("a: {1: x}\n").starts_with("a.yaml:1:5: non-string key `1`"));
    assert!(fault("a: b: c\n").starts_with("a.yaml:1:5:"));
    assert!(fault("a: &a [*a]\n").contains("contains itself"));
    assert!(fault("a: 1\n---\nb: 1\n").contains("expected one document"));
    let fault = parse("a.yaml", "a: 1\nb: [\n").unwrap_err();
    assert!(fault.line >= 2, "{fault}");
}

#[test]
fn a_bomb_and_a_large_file_are_refused_at_once() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let last = n - 1;
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{last}"); 10].join(", ")));
    }
    let started = std::time::Instant::now();
    assert!(fault(&bomb).contains("grows too large"));
    assert!(fault(&"a: b\n".repeat(2_000_000)).contains("more than"));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn documents_are_read_in_order() {
    assert_eq!(parse_all("a.yaml", "a: 1\n---\nb: 2\n").unwrap().len(), 2);
    assert!(parse_all("a.yaml", "# nothing\n").unwrap().is_empty());
}

#[test]
fn depth_is_bounded_through_aliases_too() {
    let nest = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
    let text = format!("a: &a {}\nb: &b {}\n", nest("x"), nest("*a"));
    assert!(fault(&text).contains("deeper than"));
    assert!(fault(&format!("? {}\n: 1\n", "k".repeat(2000))).contains("the key has more"));
    assert!(parse("a.yaml", &format!("a: {}", "[".repeat(300))).is_err());
}

#[test]
fn dates_are_written_as_go_does() {
    let cases = [
        ("2024-01-01", "2024-01-01T00:00:00Z"),
        ("2024-1-2", "2024-01-02T00:00:00Z"),
        ("2024-01-01 1:2:3.0", "2024-01-01T01:02:03Z"),
        ("2024-01-01t10:00:00.50+02:00", "2024-01-01T10:00:00.5+02:00"),
        ("2024-01-01T10:00:00+00:00", "2024-01-01T10:00:00Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(super::go_date(text), expected);
    }
}
