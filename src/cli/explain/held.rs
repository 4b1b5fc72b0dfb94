//! What the codes of held changes mean.

use super::Explanation;
use crate::model::plan::HeldCode;

/// What is said of a held change's code.
pub fn explanation(code: HeldCode) -> Explanation {
    let (means, why, to_do) = match code {
        HeldCode::NetworkChanged => (
            "The declared definition of a network differs from the network that is there.",
            "A network can't be changed, only made anew, and every container on it would lose its connections and address at once.",
            "Declare a new network under another name, move the services to it with an apply, then remove the old one. Or, when a break is all right: `evenkeel down`, then `evenkeel apply`.",
        ),
        HeldCode::VolumeChanged => (
            "The declared definition of a volume differs from the volume that is there.",
            "A volume can't be changed, only made anew, and a new one is empty. evenkeel never removes data that you did not name.",
            "Declare a new volume under another name, copy the data while the service is stopped, then point the service at it. Or put the old definition back.",
        ),
        HeldCode::DidNotTake => (
            "A field read back otherwise right after it was set, so it is not set again for this container.",
            "The engine answers well to some settings and ignores them. Setting them for ever would be a loop that changes nothing.",
            "Compare what was sent with what was read in the message. Change the declared value to one that the engine holds, or let the container be replaced.",
        ),
        HeldCode::RolledBack => (
            "A rollback moved this service, and it stays where it is.",
            "The manifest still declares what you went back from; the next apply would roll it out again.",
            "Change its declaration, or name it: `evenkeel apply SERVICE`.",
        ),
        HeldCode::FailedBefore => (
            "This desired state failed its rollout before, and nothing in it has changed since.",
            "Trying again what failed, by itself and for ever, is a hot loop on a broken release.",
            "Read `evenkeel logs SERVICE --failed`, then fix the declaration. `evenkeel apply` by a person or CI tries it again.",
        ),
        HeldCode::Paused => (
            "Somebody paused this service: nothing of it is changed, repaired or restarted.",
            "A person looks at it, or wants it left alone for a while.",
            "`evenkeel resume SERVICE` ends the pause; `evenkeel status` says who paused it, since when and how long.",
        ),
        HeldCode::Stopped => (
            "Somebody stopped this service, and what is declared of it now differs from what is there.",
            "A stopped service stays stopped, across changes of the manifest and restarts of the machine.",
            "`evenkeel start SERVICE` starts it as it was accepted; an apply after that brings the change.",
        ),
        HeldCode::OutsideWindow => (
            "The change would stop a running container, and the service's `rollout.window` is closed.",
            "The manifest says when this service may be interrupted.",
            "Apply again while the window is open, or name the service to do it now: `evenkeel apply SERVICE`.",
        ),
        HeldCode::Manual => (
            "The change would stop a running container, and the service has `rollout.apply: manual`.",
            "The manifest says that only a person who names this service may interrupt it.",
            "`evenkeel apply SERVICE` does it.",
        ),
        HeldCode::BackOff => (
            "The service was restarted as often as its budget allows, so the next restart waits.",
            "Restarting for ever without a pause hides the fault and wears the host; giving up would leave it down.",
            "See why it fails with `docker compose logs SERVICE`. The waits double up to 5 minutes; `evenkeel apply SERVICE` tries at once.",
        ),
        HeldCode::DependencyHeld => (
            "A change waits for a service that is held.",
            "What it depends on is not as declared, so it is not known to work with it.",
            "See why the other one is held; when that is solved, this one follows.",
        ),
        HeldCode::PruneRefused => (
            "Most of the services are gone from the manifest, and removing so much needs a word from you.",
            "An emptied or half-written file must not take a stack down.",
            "If it is meant: `evenkeel apply --yes`.",
        ),
        HeldCode::NameTaken => (
            "A container that is not of this stack has the name that one of its containers needs.",
            "What is not ours is never touched.",
            "Rename or remove that container, or set another `container_name`.",
        ),
        HeldCode::InTheWay => (
            "A container that is no longer declared still has what a new service needs for itself: a volume that both would write, a host port, an address.",
            "This is what a service under a new name looks like. Two databases on one volume destroy its data.",
            "Stop the old container with `docker stop`, which also keeps it for a way back. With `spec.prune: true` the apply stops it by itself, starts it again if the new one fails, and removes it in the end. Where both may write: `rollout.sharedVolumes: true`.",
        ),
        HeldCode::ProjectElsewhere => (
            "Containers of a project with this name were made from another folder or other files.",
            "Two stacks of one name would fight over the same containers.",
            "Give this stack another `metadata.name`; or take them over with `spec.adopt: true` when these files declare them.",
        ),
        HeldCode::StackRenamed => (
            "These files already run as a stack of another name.",
            "A typing error in a name would start every service a second time, with empty databases.",
            "Put the old name back under `metadata.name`, or say `--new` when a second stack is meant.",
        ),
        HeldCode::OtherHome => (
            "Another home has claimed this stack on this engine.",
            "Two homes would hold two truths about one stack, each undoing the other.",
            "Run evenkeel where the named home is. To move it, copy the home and set `EVENKEEL_HOME_ID`, or remove the volume `evenkeel_home_STACK`.",
        ),
        HeldCode::Protected => (
            "The stack is protected, and `down` is refused.",
            "`metadata.protect: true` is there for the day when the wrong terminal has the focus.",
            "Set `metadata.protect: false`, apply, and try again.",
        ),
        HeldCode::OverCapacity => (
            "The limits of the services add up to more than `capacity` in the manifest allows.",
            "It is refused before anything starts, because a host without memory hurts the services that were fine.",
            "Lower limits or replicas, or raise `capacity`. The plan says how much is declared, and how much a rollout needs for a while.",
        ),
        HeldCode::OverHost => (
            "The limits add up to more than the host has.",
            "Memory that is promised twice is given once; the kernel then kills a process of its choice.",
            "Lower limits, move something to another host, or make the host larger. A single limit above the host is always refused.",
        ),
        HeldCode::LimitRequired => (
            "A service has no limit of memory, or of CPUs or processes where `capacity` bounds them, and the manifest requires one.",
            "`capacity.requireLimits: true` makes the sum of the limits a promise; one service without a limit breaks it.",
            "Set `services.NAME.limits.memory`, `.cpus` or `.pids`, whichever the plan names.",
        ),
        HeldCode::ProbeNeedsRoot => (
            "A probe must enter the network namespace of a container, for which evenkeel must be root.",
            "With `host: 127.0.0.1` or `network_mode: none` there is no address that another process could reach.",
            "Run evenkeel as root, let the service listen on its network, or use an `exec` probe.",
        ),
        HeldCode::EngineTooOld => (
            "A service declares a mount that this engine does not know.",
            "An older engine ignores what it does not know: it would mount a whole volume for a folder of it, or write where nothing may be written.",
            "Update the engine, or declare the mount otherwise.",
        ),
        HeldCode::ExternalMissing => (
            "A network or volume that is declared as external does not exist.",
            "What is external belongs to somebody else, so evenkeel does not make it.",
            "Make it with the line in the hint, or take `external: true` away.",
        ),
        HeldCode::ImageMissing => (
            "An image could not be resolved: it is not on the engine, and no registry gave it.",
            "A rollout that can't get its image must fail before it has stopped anything.",
            "Check the reference for typing errors, log in with `docker login` or `spec.registries`, or build the image here.",
        ),
        HeldCode::NetworkAmbiguous => (
            "Several networks of the engine have this name.",
            "The engine allows it when they are created at the same time, and then connects to any of them.",
            "Remove the ones that nothing uses, by id: `docker network ls --no-trunc` and `docker network rm ID`.",
        ),
    };
    Explanation { means, why, to_do }
}
