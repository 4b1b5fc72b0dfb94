//! Compose files to a [`Project`], exactly as docker compose 2.40.3 reads them. Knows no Docker, no policy, no manifest.
//!
//! The way of a file, in the order in which things happen:
//!
//! 1. [`discover`] finds the files, folder, profiles, name and variables that a command line and its environment mean
//!    (`COMPOSE_FILE`, `.env`, `compose.override.yaml` …) and gives [`Sources`];
//! 2. [`yaml`] reads text into a tree in which each key and value knows its place;
//! 3. `interpolate` puts variables in ([`Variables`], first layer wins), and each value they touch is marked by its [`Origin`];
//! 4. `extends`, `reset` and `include` bring other files' parts in; `merge` and `unique` put the files over each other;
//! 5. `schema` checks, `canonical` makes one form of many, `checks` and `paths` finish a file's own matters;
//! 6. `normalize` writes out what is implied, the tree is read into the types of [`project`], `consistency` checks what
//!    refers to what, `resolve` reads env and label files.
//!
//! [`load`] does it all; [`load_inline`] does it for services that are written in another document. Faults come with
//! positions, as many at once as make sense; [`Project::positions`] keeps the place of each field for whoever
//! finds fault later. [`render`] prints what `config` prints, [`config_hash`] is docker compose's own hash.
//!
//! ```
//! use evenkeel::compose::{self, Memory, Sources, Variables};
//!
//! let files = Memory::of([("/srv/app/compose.yaml", "services: {web: {image: 'nginx:${TAG:-1}'}}")]);
//! let sources = Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files);
//! let loaded = compose::load(&sources).map_err(|broken| broken.faults[0].to_string())?;
//! assert_eq!(loaded.project.services["web"].image, "nginx:1");
//! # Ok::<(), String>(())
//! ```

mod beside;
mod canonical;
mod checks;
mod consistency;
mod discover;
mod dotenv;
mod extends;
mod files;
mod free_maps;
mod go_json;
mod hash;
mod include;
mod interpolate;
mod load;
mod loading;
mod merge;
mod natural_order;
mod normalize;
mod path;
mod paths;
pub mod project;
mod reader;
pub mod render;
mod reset;
mod resolve;
mod schema;
mod shell_words;
mod text;
mod unique;
mod units;
mod variables;
mod warning;
pub mod yaml;

pub use discover::{Request, discover, normalize_name};
pub use dotenv::{DotenvError, Format as EnvFormat, parse as parse_env};
pub use hash::{config_hash, config_text, network_hash, printed_hash, volume_hash};
pub use interpolate::{Interpolated, InterpolationError, Variable, interpolate};
pub use load::{Broken, Loaded, Sources, load, load_inline, used_variables};
pub use project::{Project, Service};
pub use reader::{Disk, Memory, Overlay, Reader};
pub use text::Text;
pub use units::{parse_bytes, parse_duration, print_duration};
pub use variables::Variables;
pub use warning::Warning;
pub use yaml::{Fault, Origin, Position};

#[cfg(test)]
mod tests;
