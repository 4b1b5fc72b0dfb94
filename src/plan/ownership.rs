//! What is ours, and what forbids acting at all: a project of this name made from elsewhere, the same files under
//! another name, another home, a name that somebody else's container has.

use super::survey::All;
use crate::model::{
    desired::Desired,
    labels::{compose, ours},
    names::{ContainerName, Resource, ServiceName},
    observed::{Observed, ObservedContainer},
    plan::{Held, HeldCode, PlanContext},
};
use std::collections::BTreeMap;

/// Containers of services, each service's by name.
pub(super) type ByService<'a> = BTreeMap<ServiceName, Vec<&'a ObservedContainer>>;

/// The containers of the project, sorted by whose they are.
#[derive(Default)]
pub(super) struct Containers<'a> {
    /// Ours, by the service that docker compose's label names.
    pub declared: ByService<'a>,
    /// Ours, of services that are not in this desired state.
    pub not_declared: ByService<'a>,
    /// Ours, and of no service.
    pub of_none: Vec<&'a ObservedContainer>,
    /// Not ours: made from other files, or run once by hand.
    pub foreign: Vec<&'a ObservedContainer>,
}

impl<'a> Containers<'a> {
    /// Sorts all that were seen, those of each service by name.
    pub fn of(desired: &Desired, observed: &'a Observed) -> Containers<'a> {
        let mut sorted = Containers::default();
        for container in observed.containers.values() {
            match container.service() {
                _ if !is_ours(desired, container) => sorted.foreign.push(container),
                Some(service) => {
                    let is_declared = desired.services.contains_key(&service);
                    let by_service = if is_declared { &mut sorted.declared } else { &mut sorted.not_declared };
                    by_service.entry(service).or_default().push(container);
                }
                None => sorted.of_none.push(container),
            }
        }
        sorted
    }

    /// Ours, declared or not.
    pub fn by_service(&self) -> ByService<'a> {
        self.declared.iter().chain(&self.not_declared).map(|(name, all)| (name.clone(), all.clone())).collect()
    }
}

/// Whether a container of the project is ours: it carries our label, was made from this manifest's files, or the
/// manifest says to adopt it.
fn is_ours(desired: &Desired, container: &ObservedContainer) -> bool {
    if is_one_off(container) {
        return false;
    }
    let same = |label: &str, text: &str| !text.is_empty() && container.label(label) == Some(text);
    container.label(ours::STACK) == Some(desired.stack.as_str())
        || same(compose::WORKING_DIR, &desired.source.working_dir)
        || same(compose::CONFIG_FILES, &desired.source.config_files.join(","))
        || desired.policy.adopt
}

/// Whether `docker compose run` made it.
fn is_one_off(container: &ObservedContainer) -> bool {
    container.label(compose::ONEOFF).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// What forbids acting.
pub(super) fn refusals(all: &All) -> Vec<Held> {
    let All { desired, observed, context, .. } = *all;
    let mut held = Vec::new();
    held.extend(project_elsewhere(desired, &all.containers));
    // What was accepted once is no typo.
    let is_known = context.facts.current.as_ref().is_some_and(|current| !current.desired.services.is_empty());
    if !context.second_stack && !is_known {
        held.extend(stack_renamed(desired, observed));
    }
    held.extend(other_home(desired, observed, context));
    held
}

fn project_elsewhere(desired: &Desired, containers: &Containers) -> Option<Held> {
    let foreign = containers.foreign.iter().find(|container| !is_one_off(container))?;
    Some(Held {
        resource: Resource::Stack(desired.stack.clone()),
        code: HeldCode::ProjectElsewhere,
        reason: format!(
            "a project `{}` runs from `{}`, and this manifest is in `{}`",
            desired.stack,
            foreign.label(compose::WORKING_DIR).unwrap_or("somewhere else"),
            desired.source.working_dir,
        ),
        hint: "write `spec.adopt: true` to take it over, or give this stack another `metadata.name`".into(),
    })
}

/// The same files running as a project of another name: a typo must not start an empty database.
fn stack_renamed(desired: &Desired, observed: &Observed) -> Option<Held> {
    let files = desired.source.config_files.join(",");
    if files.is_empty() || !observed.containers.is_empty() {
        return None;
    }
    let same = |other: &&crate::model::observed::OtherContainer| {
        other.project.is_some()
            && other.config_files.as_deref() == Some(files.as_str())
            && other.working_dir.as_deref() == Some(desired.source.working_dir.as_str())
    };
    let project = observed.others.values().find(same)?.project.clone()?;
    Some(Held {
        resource: Resource::Stack(desired.stack.clone()),
        code: HeldCode::StackRenamed,
        reason: format!("these files already run as `{project}`"),
        hint: format!("did you mean `metadata.name: {project}`? Say `--new` for a second stack on purpose"),
    })
}

fn other_home(desired: &Desired, observed: &Observed, context: &PlanContext) -> Option<Held> {
    let claim = observed.claim.as_ref()?;
    let own = context.facts.identity.as_ref()?;
    if claim.home == own.home && claim.machine == own.machine {
        return None;
    }
    Some(Held {
        resource: Resource::Stack(desired.stack.clone()),
        code: HeldCode::OtherHome,
        reason: format!("the home `{}` on machine `{}` keeps this stack", claim.home, claim.machine),
        hint: format!(
            "work there; to move the stack to `{}`, remove the volume `evenkeel_home_{}`, or set EVENKEEL_HOME_ID",
            own.home, desired.stack
        ),
    })
}

/// Names that containers to be made need, and that somebody else's containers have.
pub(super) fn names_taken(names: &[ContainerName], observed: &Observed) -> Vec<Held> {
    let taken = names.iter().filter_map(|name| observed.others.get(name));
    taken
        .map(|other| Held {
            resource: Resource::Container(other.name.clone()),
            code: HeldCode::NameTaken,
            reason: format!(
                "the name `{}` is taken by a container that is not of this stack ({})",
                other.name,
                other.id.short()
            ),
            hint: format!("rename or remove it: `docker rename {0} {0}-old`", other.name),
        })
        .collect()
}
