//! What is ours, and what forbids acting at all: a project of this name made from elsewhere, the same files under
//! another name, another home, a name that somebody else's container has.

use super::{grouped::Grouped, order::Places, survey::All};
use crate::model::{
    desired::Desired,
    labels::{compose, ours},
    names::{ContainerName, Resource, ServiceName},
    observed::{Observed, ObservedContainer, replica_number},
    plan::{Held, HeldCode, PlanContext},
};
use std::collections::BTreeMap;

/// Containers by service, those of each by name.
pub(super) type ByService<'a> = BTreeMap<ServiceName, Vec<&'a ObservedContainer>>;

/// A container and which replica of its service it is.
#[derive(Clone, Copy)]
pub(super) struct Replica<'a> {
    pub number: u32,
    pub container: &'a ObservedContainer,
}

/// The containers of the project, sorted by whose they are.
#[derive(Default)]
pub(super) struct Containers<'a> {
    /// Ours, of the service at each place, as docker compose's label names it.
    pub declared: Grouped<Replica<'a>>,
    /// Ours, of services that are not in this desired state.
    pub not_declared: ByService<'a>,
    /// Ours, and of no service.
    pub of_none: Vec<&'a ObservedContainer>,
    /// Not ours: made from other files, or run once by hand.
    pub foreign: Vec<&'a ObservedContainer>,
}

impl<'a> Containers<'a> {
    /// Sorts all that were seen, those of each service by name.
    pub fn of(places: &Places, observed: &'a Observed) -> Containers<'a> {
        let (mut sorted, mut declared) = (Containers::default(), Vec::with_capacity(observed.containers.len()));
        let whose = Whose::of(places.desired);
        for container in observed.containers.values() {
            let says = Labelled::of(container);
            match says.service.map(ServiceName::from) {
                _ if !whose.is_ours(&says) => sorted.foreign.push(container),
                Some(service) => match places.find(&service) {
                    Some(place) => declared.push((place, Replica { number: replica_number(says.number), container })),
                    None => sorted.not_declared.entry(service).or_default().push(container),
                },
                None => sorted.of_none.push(container),
            }
        }
        sorted.declared = Grouped::of(places.names().len(), declared);
        sorted
    }

    /// Ours, of the service at a place.
    pub fn of_place(&self, place: usize) -> Vec<&'a ObservedContainer> {
        self.declared.get(place).iter().map(|replica| replica.container).collect()
    }

    /// Ours, declared or not.
    pub fn by_service(&self, places: &Places) -> ByService<'a> {
        let declared = places.names().iter().enumerate().map(|(place, name)| (name.clone(), self.of_place(place)));
        let not_declared = self.not_declared.iter().map(|(name, containers)| (name.clone(), containers.clone()));
        declared.filter(|(_, containers)| !containers.is_empty()).chain(not_declared).collect()
    }
}

/// What a container's labels say of whose it is: read in one go, for that of thousands takes longer than all else here.
#[derive(Default)]
struct Labelled<'a> {
    service: Option<&'a str>,
    number: Option<&'a str>,
    one_off: Option<&'a str>,
    stack: Option<&'a str>,
    working_dir: Option<&'a str>,
    config_files: Option<&'a str>,
}

impl<'a> Labelled<'a> {
    fn of(container: &'a ObservedContainer) -> Labelled<'a> {
        Labelled {
            service: container.label(compose::SERVICE),
            number: container.label(compose::NUMBER),
            one_off: container.label(compose::ONEOFF),
            stack: container.label(ours::STACK),
            working_dir: container.label(compose::WORKING_DIR),
            config_files: container.label(compose::CONFIG_FILES),
        }
    }

    /// Whether `docker compose run` made it.
    fn is_one_off(&self) -> bool {
        self.one_off.is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// What tells our containers from those of others.
struct Whose<'a> {
    desired: &'a Desired,
    /// As docker compose's label has them.
    config_files: String,
}

impl Whose<'_> {
    fn of(desired: &Desired) -> Whose<'_> {
        Whose { desired, config_files: desired.source.config_files.join(",") }
    }

    /// Whether a container of the project is ours: it carries our label, was made from this manifest's files, or the
    /// manifest says to adopt it.
    fn is_ours(&self, says: &Labelled) -> bool {
        let same = |label: Option<&str>, text: &str| !text.is_empty() && label == Some(text);
        !says.is_one_off()
            && (says.stack == Some(self.desired.stack.as_str())
                || same(says.working_dir, &self.desired.source.working_dir)
                || same(says.config_files, &self.config_files)
                || self.desired.policy.adopt)
    }
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
    let foreign = containers.foreign.iter().find(|container| !Labelled::of(container).is_one_off())?;
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
