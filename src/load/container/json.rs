//! JSON without its white space, otherwise byte for byte as it was written, as docker compose sends a seccomp profile.

/// The text between whose words nothing is left.
///
/// # Errors
/// What is wrong with it.
pub fn compact(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for character in text.chars() {
        if !quoted && matches!(character, ' ' | '\t' | '\r' | '\n') {
            continue;
        }
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        out.push(character);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_words_goes() {
        assert_eq!(compact(b"{ \"a b\": [1.50,\n \"x\\\" y\"] }").unwrap(), r#"{"a b":[1.50,"x\" y"]}"#);
        assert!(compact(b"{").unwrap_err().contains("no JSON"));
    }
}
