//! JSON as Go's encoder writes it: its escapes, its numbers, its indentation.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Value as Json;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Without spaces.
pub(crate) fn compact(value: &Json) -> String {
    write(value, Go(CompactFormatter))
}

/// Indented by two spaces.
pub(crate) fn pretty(value: &Json) -> String {
    write(value, Go(PrettyFormatter::with_indent(b"  ")))
}

fn write(value: &Json, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    // Writing a value to memory has no way to fail: its keys are texts and its numbers finite.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    String::from_utf8(out).unwrap_or_default()
}

struct Go<F>(F);

/// A float in Go's JSON: plain digits, with an exponent below 1e-6 and from 1e21.
fn float(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}").replace("e", if size >= 1.0 { "e+" } else { "e" })
    }
}

impl<F: Formatter> Formatter for Go<F> {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let c = rest[at..].chars().next().unwrap_or_default();
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn escapes_and_numbers_are_go_s() {
        let value = json!({"a": "<&>\"\n\u{2028}é", "b": 1.0, "c": 0.5, "d": 1e-7, "e": 1e21, "f": []});
        let expected =
            "{\"a\":\"\\u003c\\u0026\\u003e\\\"\\n\\u2028é\",\"b\":1,\"c\":0.5,\"d\":1e-7,\"e\":1e+21,\"f\":[]}";
        assert_eq!(super::compact(&value), expected);
    }
}
