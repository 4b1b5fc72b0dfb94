//! The command line as a user meets it: the real binary, its exit code, stdout and stderr compared together. No engine
//! is needed here; what needs one is under `tests/docker`.

mod bombs;
mod data;
mod engine;
mod init;
mod keep;
mod run;
mod usage;
