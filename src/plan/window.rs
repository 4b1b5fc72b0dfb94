//! Windows.
use crate::model::{policy::Window, units::Timestamp};
pub enum WindowState {
    Open { closes: Timestamp },
    Closed { opens: Option<Timestamp> },
}
pub fn state(window: &Window, now: Timestamp) -> WindowState {
    let _ = window;
    WindowState::Open { closes: now }
}
