//! An image's config as JSON: the same in the engine's answer and in a registry's blob.

use crate::model::{container::Healthcheck, image::ImageConfig, units::Millis, value::Value};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use std::collections::BTreeMap;

/// The `config` (a registry says it in lower case) of an image.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageConfigJson {
    #[serde(deserialize_with = "nullable")]
    user: String,
    #[serde(deserialize_with = "nullable")]
    exposed_ports: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    env: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    cmd: Vec<String>,
    healthcheck: Option<HealthcheckJson>,
    #[serde(deserialize_with = "nullable")]
    volumes: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    working_dir: String,
    #[serde(deserialize_with = "nullable")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    stop_signal: String,
}

/// A health check, of an image or of a container. Durations are in nanoseconds, 0 is not set.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HealthcheckJson {
    #[serde(deserialize_with = "nullable")]
    test: Vec<String>,
    interval: i64,
    timeout: i64,
    start_period: i64,
    start_interval: i64,
    retries: i64,
}

impl ImageConfigJson {
    /// In our own type.
    pub fn read(self) -> ImageConfig {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let words = |words: Vec<String>| Some(words).filter(|words| !words.is_empty());
        ImageConfig {
            entrypoint: words(self.entrypoint),
            command: words(self.cmd),
            environment: environment(self.env).collect(),
            labels: self.labels,
            working_dir: text(self.working_dir),
            user: text(self.user),
            stop_signal: text(self.stop_signal),
            healthcheck: self.healthcheck.and_then(HealthcheckJson::read),
            volumes: self.volumes.into_keys().collect(),
            expose: self.exposed_ports.into_keys().collect(),
        }
    }
}

impl HealthcheckJson {
    /// In our own type; `None` where nothing of it is set.
    pub fn read(self) -> Option<Healthcheck> {
        let span = |nanoseconds: i64| u64::try_from(nanoseconds / 1_000_000).ok().filter(|ms| *ms > 0).map(Millis);
        let check = Healthcheck {
            test: self.test.into_iter().map(Value::plain).collect(),
            interval: span(self.interval),
            timeout: span(self.timeout),
            start_period: span(self.start_period),
            start_interval: span(self.start_interval),
            retries: u32::try_from(self.retries).ok().filter(|times| *times > 0),
        };
        (check != Healthcheck::default()).then_some(check)
    }
}

/// `NAME=value` entries, taken apart; a name alone gives the variable no value.
pub fn environment(entries: Vec<String>) -> impl Iterator<Item = (String, String)> {
    entries
        .into_iter()
        .filter_map(|entry| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// For serde: null and absent alike are the default.
pub fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_images_config_is_read_and_what_is_empty_is_not_set() {
        let json = r#"{"Env":["PATH=/bin","A=b=c"],"Cmd":["serve"],"Entrypoint":null,"User":"","Volumes":{"/data":{}},
            "ExposedPorts":{"80/tcp":{}},"Labels":null,"Healthcheck":{"Test":["CMD","check"],"Interval":1500000000}}"#;
        let config = serde_json::from_str::<ImageConfigJson>(json).unwrap().read();
        assert_eq!(config.environment["A"], "b=c");
        assert_eq!((config.entrypoint, config.user), (None, None));
        assert_eq!(config.command.unwrap(), ["serve"]);
        assert_eq!(config.healthcheck.unwrap().interval, Some(Millis(1500)));
        assert!(config.volumes.contains("/data") && config.expose.contains("80/tcp"));
    }

    #[test]
    fn an_empty_config_is_an_empty_config() {
        assert_eq!(serde_json::from_str::<ImageConfigJson>("{}").unwrap().read(), ImageConfig::default());
    }
}
