//! Loops that make rounds, each for one concern. A controller takes no input: it observes, and what wakes it is only a
//! reason to look. It keeps nothing in memory that a restart would miss.

pub mod stack;
