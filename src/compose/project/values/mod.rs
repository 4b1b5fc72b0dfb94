//! Values with a syntax of their own.

mod amounts;
mod pairs;
mod texts;

pub use amounts::{Bytes, Cpus, DeviceCount, Duration, FileMode, Ulimit};
pub use pairs::{Assignments, HostList, Pairs};
pub use texts::{Command, HealthTest, MultiOptions, Numbers, StringList};
