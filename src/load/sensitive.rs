//! Which values must not be shown: what came from elsewhere, and literals whose name or form says that they are secret.

use crate::{compose::Text, model::value::Value};

/// Words that end the name of a secret.
const SECRET_WORDS: [&str; 20] = [
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
    "KEY",
    "KEYS",
    "APIKEY",
    "DSN",
    "CREDENTIAL",
    "CREDENTIALS",
    "AUTH",
    "AUTHORIZATION",
    "COOKIE",
    "PAT",
];

/// Words that say so at the end of a longer one too (`PGPASSWORD`, `accessToken`).
const SECRET_ENDS: [&str; 6] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY"];

/// Whether the last word of a name (of `_`, `-` and `.` separated ones) says that it names a secret. `PWD` alone is the
/// working directory.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let word = SECRET_WORDS.contains(&last) && !(last == "PWD" && upper == "PWD");
    word || SECRET_ENDS.iter().any(|end| last.ends_with(end))
}

/// Whether a text holds a URL with a user's name and password in it (`postgres://core:secret@db/core`).
pub fn has_userinfo(text: &str) -> bool {
    text.match_indices("://").any(|(at, scheme)| {
        let rest = &text[at + scheme.len()..];
        let word = &rest[..rest.find([' ', '"', '\'']).unwrap_or(rest.len())];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        let password_in = |part: &str| {
            let userinfo = part.rsplit_once('@').map(|(userinfo, _)| userinfo);
            userinfo.and_then(|userinfo| userinfo.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
        };
        // A password that nobody encoded may hold a slash; then what follows the colon is no port.
        let port = authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        password_in(authority) || authority.contains(':') && !authority.contains('@') && !port && password_in(word)
    })
}

/// An address without the user and password that may stand in it.
pub fn without_userinfo(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => address.to_owned(),
    }
}

/// The names that the manifest shows or hides, as `NAME` or `SERVICE.NAME`; hiding wins.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    pub show: Vec<String>,
    pub hide: Vec<String>,
}

impl Exceptions {
    fn lists(list: &[String], service: &str, name: &str) -> bool {
        let qualified =
            |entry: &String| entry.strip_prefix(service).and_then(|rest| rest.strip_prefix('.')) == Some(name);
        list.iter().any(|entry| entry == name || qualified(entry))
    }

    /// Whether the manifest says that this one is no secret.
    pub fn shows(&self, service: &str, name: &str) -> bool {
        Self::lists(&self.show, service, name)
    }

    /// An environment variable or a label of a service.
    pub fn named(&self, service: &str, name: &str, text: &Text) -> Value {
        if Self::lists(&self.hide, service, name) {
            return Value::sensitive(text.as_str());
        }
        if self.shows(service, name) {
            return Value::plain(text.as_str());
        }
        if text.is_sensitive() || is_secret_name(name) || has_userinfo(text.as_str()) {
            return Value::sensitive(text.as_str());
        }
        Value::plain(text.as_str())
    }
}

/// A value under a name outside of a service's environment and labels: a logging or driver option.
pub fn option(name: &str, text: &Text) -> Value {
    Exceptions::default().named("", name, text)
}

/// One word of a command: sensitive by origin, by userinfo in it, or as `--password=…`.
pub fn word(text: &Text) -> Value {
    let named = |(name, value): (&str, &str)| !value.is_empty() && is_secret_name(name.trim_start_matches('-'));
    let plain_name = |(name, _): &(&str, &str)| !name.contains(char::is_whitespace);
    let secret = text.as_str().split_once('=').filter(plain_name).is_some_and(named);
    if text.is_sensitive() || secret || has_userinfo(text.as_str()) {
        Value::sensitive(text.as_str())
    } else {
        Value::plain(text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml::Origin;

    #[test]
    fn names_say_that_they_are_secret_by_their_last_word() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "PGPASSWORD",
            "api-key",
            "SENTRY_DSN",
            "GITHUB_TOKEN",
            "MYSQL_PWD",
            "com.us.secret",
            "authToken",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PWD", "PASSWORD_FILE", "AWS_ACCESS_KEY_ID", "MONKEY", "KEYBOARD", "TOKEN_TTL", "LOG_LEVEL", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_url_with_a_password_is_secret_and_one_with_a_user_alone_is_not() {
        for text in ["postgres://core:hunter2@db/core", "x amqp://a:b@mq", "https://:t0ken@host/", "redis://u:p/w@host"]
        {
            assert!(has_userinfo(text), "{text}");
        }
        for text in
            ["postgres://core@db/core", "http://host:80/a@b", "a@b:c", "http://", "mailto:a@b", "https://h/?q=a:b@c"]
        {
            assert!(!has_userinfo(text), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_without_the_user_in_it() {
        for (address, shown) in [
            ("https://bot:hunter2@example.com/web.git#main", "https://***@example.com/web.git#main"),
            ("ssh://git@example.com/web.git", "ssh://***@example.com/web.git"),
            ("https://example.com/a@b", "https://example.com/a@b"),
            ("/srv/web", "/srv/web"),
        ] {
            assert_eq!(without_userinfo(address), shown);
        }
    }

    #[test]
    fn origin_makes_sensitive_and_the_manifest_has_the_last_word() {
        let exceptions =
            Exceptions { show: vec!["LOG_LEVEL".into(), "core.API_KEY".into()], hide: vec!["PLAN".into()] };
        let interpolated = |text: &str| Text::new(text, Origin::Interpolated);
        assert!(exceptions.named("core", "REGION", &interpolated("eu")).is_sensitive());
        assert!(!exceptions.named("core", "LOG_LEVEL", &interpolated("info")).is_sensitive());
        assert!(!exceptions.named("core", "API_KEY", &Text::literal("k")).is_sensitive());
        assert!(exceptions.named("admin", "API_KEY", &Text::literal("k")).is_sensitive());
        assert!(exceptions.named("core", "PLAN", &Text::literal("gold")).is_sensitive());
    }

    #[test]
    fn a_word_of_a_command_is_secret_by_its_own_name() {
        assert!(word(&Text::literal("--admin-password=hunter2")).is_sensitive());
        assert!(!word(&Text::literal("--log-level=info")).is_sensitive());
        assert!(!word(&Text::literal("echo the key=value")).is_sensitive());
    }
}
