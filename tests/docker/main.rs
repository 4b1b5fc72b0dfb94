//! End to end on a real engine: the one that `DOCKER_HOST` names. Without an engine these tests fail; none is skipped.

mod conformance;
mod observe;
mod pull;
mod roundtrip;
mod support;
