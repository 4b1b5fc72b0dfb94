//! End to end on a real engine: the one that `DOCKER_HOST` names. Without an engine these tests fail; none is skipped.

mod adoption;
mod conformance;
mod data;
mod first;
mod observe;
mod pull;
mod rolling;
mod roundtrip;
mod stack;
mod support;
