//! What makes controllers turn for ever: loops with wake-ups, back-off and a watchdog, the engine's event stream, files that
//! change, signals, and what the service manager is told. Holds no rule about any stack: what a round does, its controller
//! decides, and a wake-up is only a reason to look.

pub mod files;
pub mod finder;
pub mod fleet;
pub mod health;
pub mod memory;
pub mod service;
pub mod signals;
pub mod tell;
pub mod turn;
pub mod watch;
