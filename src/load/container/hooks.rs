//! The commands that run in a service's containers after their start and before their stop.

use super::Translation;
use crate::{
    compose::project::{self, Service},
    load::sensitive,
    model::desired::{Hook, Hooks},
};

impl Translation<'_> {
    /// The hooks of a service.
    pub fn hooks(&self, name: &str, service: &Service) -> Hooks {
        let all = |hooks: &[project::Hook]| hooks.iter().map(|hook| self.hook(name, hook)).collect();
        Hooks { post_start: all(&service.post_start), pre_stop: all(&service.pre_stop) }
    }

    fn hook(&self, name: &str, written: &project::Hook) -> Hook {
        let mut hook = Hook {
            command: written.command.0.iter().flatten().map(sensitive::word).collect(),
            user: super::set(&written.user),
            privileged: written.privileged,
            working_dir: super::set(&written.working_dir),
            ..Hook::default()
        };
        for (variable, text) in &written.environment.0 {
            match text {
                Some(text) => {
                    hook.environment.insert(variable.clone(), self.exceptions.named(name, variable, text));
                }
                None => {
                    hook.unset.insert(variable.clone());
                }
            }
        }
        hook
    }
}
