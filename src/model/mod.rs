//! The nouns: what is declared, what was seen, what is to be done, what was done. Every other module speaks in these
//! types. Nothing here does I/O, reads a clock or decides a policy.

pub mod build;
pub mod capacity;
pub mod container;
pub mod content;
pub mod desired;
pub mod event;
pub mod evidence;
pub mod fields;
pub mod image;
pub mod labels;
pub mod names;
pub mod observed;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod revision;
pub mod status;
pub mod step;
pub mod units;
pub mod value;
pub mod window;
