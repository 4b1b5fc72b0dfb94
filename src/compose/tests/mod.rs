//! Whole files through the whole way.

mod cases;
mod faults;
mod growth;
mod origins;
mod properties;

use super::*;

/// A project of one file in memory, at `/srv/app/compose.yaml`.
fn load_text(text: &str) -> Result<Loaded, Vec<Fault>> {
    let files = Memory::of([("/srv/app/compose.yaml", text)]);
    let sources = Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files);
    load(&sources).map_err(|broken| broken.faults)
}
