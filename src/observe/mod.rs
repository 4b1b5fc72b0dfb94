//! Engine → observed, and references → images: everything that is read before planning. It decides nothing.

mod resolve;
mod snapshot;

pub use resolve::{PullWish, ResolveError, Resolved, Unresolved, Why, resolve};
pub use snapshot::{Wanted, claim_volume, observe};
