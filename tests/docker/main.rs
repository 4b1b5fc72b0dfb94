//! End to end on a real engine: the one that `DOCKER_HOST` names. Without an engine these tests fail; none is skipped.

mod adoption;
mod bad_times;
mod broken_engine;
mod colleague;
mod conformance;
mod cuts;
mod data;
mod dry;
mod events;
mod examples;
mod first;
mod fixtures;
mod going;
mod keeping;
mod loops;
mod observe;
mod private;
mod proxy;
mod pull;
mod reboot;
mod rolling;
mod roundtrip;
mod rules;
mod stack;
mod support;
mod victim;
