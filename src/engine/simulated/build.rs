//! Builds on the simulated engine: an image of each name, new each time, ready at once.

use super::{Behaviour, SimulatedEngine};
use crate::{
    engine::build::{BuildError, Builder, Order},
    model::{image::ImageConfig, units::Millis},
};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// A build from this folder fails.
pub const BROKEN_CONTEXT: &str = "/broken";

#[async_trait]
impl Builder for SimulatedEngine {
    async fn build(&self, order: &Order, said: &mpsc::Sender<String>) -> Result<(), BuildError> {
        for name in &order.wanted {
            let Some((image, build)) = order.known.get(name) else { continue };
            if build.context == BROKEN_CONTEXT {
                let last = vec!["ERROR: failed to solve".to_owned()];
                return Err(BuildError::Failed { services: vec![name.to_string()], last });
            }
            // As with the real one, progress that nobody takes is not waited for.
            let _ = said.try_send(format!("[{name} 1/1] FROM scratch"));
            let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
            self.add_image(image.as_str(), config, Behaviour::ready_after(Millis(0)));
        }
        Ok(())
    }
}
