//! Names and ids, one type each, so that none can stand where another belongs.
//!
//! Names of stacks and services are checked by the loader; ids are the engine's own and taken as they come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

name! {
    /// The name of a stack: the Compose project name.
    StackName
}
name! {
    /// A key under `services:`.
    ServiceName
}
name! {
    /// A network as the engine names it (`webkit_default`), not the key in the file.
    NetworkName
}
name! {
    /// A volume as the engine names it (`webkit_postgres_data`), not the key in the file.
    VolumeName
}
name! {
    /// A container's name, without the slash that the engine puts before it.
    ContainerName
}
name! {
    /// A container's full id.
    ContainerId
}
name! {
    /// An image's id, `sha256:…`: what an image is. A digest only says how to get it.
    ImageId
}
name! {
    /// An image as the user writes it: `ghcr.io/us/core:abc@sha256:…`.
    ImageReference
}
name! {
    /// The id of a plan: `p-` and 12 hex digits, drawn by the caller.
    PlanId
}
name! {
    /// SHA-256 (hex) of one service's canonical JSON; see `desired::desired_hash`.
    DesiredHash
}
name! {
    /// A step's id: a path that stays when other services change, such as `core/2/gate`.
    StepId
}

impl ContainerId {
    /// The first twelve characters: what the engine prints, and what a kept container's name begins with.
    pub fn short(&self) -> &str {
        self.as_str().get(..12).unwrap_or(self.as_str())
    }
}

impl ImageId {
    /// The first twelve hex digits after `sha256:`.
    pub fn short(&self) -> &str {
        let hex = self.as_str().trim_start_matches("sha256:");
        hex.get(..12).unwrap_or(hex)
    }
}

/// What a change, a step or a held entry is about, written `service/core`, `container/webkit-core-1`,
/// `network/webkit_edge`, `volume/webkit_data`, `image/redis:7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A service of the stack.
    Service(ServiceName),
    /// One container.
    Container(ContainerName),
    /// A network, by the engine's name.
    Network(NetworkName),
    /// A volume, by the engine's name.
    Volume(VolumeName),
    /// An image reference.
    Image(ImageReference),
    /// The stack as a whole.
    Stack(StackName),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Service(name) => write!(f, "service/{name}"),
            Resource::Container(name) => write!(f, "container/{name}"),
            Resource::Network(name) => write!(f, "network/{name}"),
            Resource::Volume(name) => write!(f, "volume/{name}"),
            Resource::Image(name) => write!(f, "image/{name}"),
            Resource::Stack(name) => write!(f, "stack/{name}"),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (kind, name) =
            text.split_once('/').ok_or_else(|| serde::de::Error::custom("a resource is written KIND/NAME"))?;
        match kind {
            "service" => Ok(Resource::Service(name.into())),
            "container" => Ok(Resource::Container(name.into())),
            "network" => Ok(Resource::Network(name.into())),
            "volume" => Ok(Resource::Volume(name.into())),
            "image" => Ok(Resource::Image(name.into())),
            "stack" => Ok(Resource::Stack(name.into())),
            other => Err(serde::de::Error::custom(format!("no resource kind `{other}`"))),
        }
    }
}

impl JsonSchema for Resource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "What it is about: `service/core`, `container/webkit-core-1`, `network/webkit_edge`, `volume/webkit_data`.",
            "pattern": "^(service|container|network|volume|image|stack)/.+$"
        })
    }
}
