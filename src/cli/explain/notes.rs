//! What the codes of notes mean.

use super::Explanation;
use crate::model::plan::NoteCode;

/// What is said of a note's code.
pub fn explanation(code: NoteCode) -> Explanation {
    let (means, why, to_do) = match code {
        NoteCode::NoLimit => (
            "A service has no limit of memory, or of CPUs or processes where `capacity` bounds them, so it counts as 0 there.",
            "One leaking process without a limit takes the memory of all the others, and the kernel chooses its victim.",
            "Set `services.NAME.limits.memory`, `.cpus` or `.pids` in the manifest or `mem_limit`, `cpus` or `pids_limit` in the Compose file. With `capacity.requireLimits: true` a missing limit is refused.",
        ),
        NoteCode::Overcommitted => (
            "The limits of all running containers add up to more than the host has.",
            "It goes well until several of them need what they were promised at the same time.",
            "Lower limits, or declare `capacity` in the manifest, and evenkeel refuses what does not fit.",
        ),
        NoteCode::UpdateAvailable => (
            "A tag names another image now than the one that runs.",
            "What runs stays what was rolled out: a tag that moves is no reason to restart a service behind your back.",
            "`evenkeel apply --pull=SERVICE` takes the new image, with its gate and its way back.",
        ),
        NoteCode::ToBeBuilt => (
            "The apply builds an image: neither the engine nor a registry has it, its `pull_policy` is `build`, or `--build` asks for it.",
            "`diff` never builds, so it can't say what the image will be, nor what of the service changes by it.",
            "Nothing. To review a plan with the image in it, or to save one, build the image first: `docker compose build SERVICE`.",
        ),
        NoteCode::VolumeStays => (
            "`down --volumes` leaves a volume that the stack uses, for its labels say that it is of another project, or of nobody.",
            "What somebody else made may hold somebody else's data, and a name is no proof.",
            "Look whose it is: `docker volume inspect VOLUME`. `docker volume rm VOLUME` removes it; `external: true` in the Compose file says that it is not the stack's.",
        ),
        NoteCode::RestartNotWritten => (
            "No restart policy is written for a service, so it is taken as long-running and started when it is down.",
            "A container that exits and stays down by default is rarely meant; a job that is started again and again is not meant either.",
            "Write `restart: unless-stopped` for a service, `restart: \"no\"` or `on-failure` for a job that ends.",
        ),
        NoteCode::SlowGate => (
            "The interval of a health check makes every rollout of the service wait that long.",
            "A gate that reads Docker's health can't know more than Docker does, and Docker asks once an interval.",
            "Add `start_period` and `start_interval: 1s` to the health check (Docker 25 and later), or a readiness probe in the manifest, which asks every second.",
        ),
        NoteCode::NoProbe => (
            "A long-running service has neither a probe nor a health check.",
            "Its gate can only see that the process runs and was not restarted. That it answers is not known.",
            "Add `services.NAME.probes.readiness`: an http or tcp probe runs from the host and needs nothing in the image.",
        ),
        NoteCode::NoLogRotation => (
            "The log of a service grows without bound.",
            "The default json-file driver keeps everything; a full disk stops every container of the host at once.",
            "Set `logging.options.max-size` and `max-file` in the Compose file, or `log-opts` in the engine's daemon.json.",
        ),
        NoteCode::ShortGrace => (
            "A database is killed less than a minute after it was asked to stop.",
            "A kill in the middle of a checkpoint means recovery at the next start, and a slow one.",
            "Set `stop_grace_period: 1m` or more for it.",
        ),
        NoteCode::LiteralSecret => (
            "A literal in a file looks like a secret.",
            "Files go to version control, and secrets in them with all who can read it. It is masked in everything that evenkeel prints.",
            "Move it to an env file that is not committed, or to `secrets:`. If it is none, name it under `spec.show`.",
        ),
        NoteCode::WritableFile => (
            "A service has a writable bound file, and a change of its content does not roll the service.",
            "What a container may write is data: its own writing must not restart it.",
            "Mount it with `:ro` if it is configuration; then a change of its content rolls the service.",
        ),
        NoteCode::UndoHasNewContent => (
            "A bound file changed on the host, so taking this rollout back starts the old container with the new content.",
            "A bind mount shows the file as it is, whenever a container is started.",
            "`evenkeel rollback` mounts a copy of the content that the older revision had; or put the old file back.",
        ),
        NoteCode::NotDeclared => (
            "A container of this stack belongs to a service that is no longer declared, and it is left alone.",
            "Nothing that may hold data goes without being named.",
            "Set `spec.prune: true` to have such containers removed, or remove it by hand.",
        ),
        NoteCode::EngineCannotHold => (
            "This engine or its kernel can't hold a field, so the field is neither set for sure nor compared.",
            "The engine accepts such fields and drops them; comparing them would be a drift that never ends.",
            "Upgrade the engine or enable the kernel's feature (`docker info` warns of it), or take the field out.",
        ),
        NoteCode::OtherFile => (
            "Another Compose file lies beside the one that is read.",
            "Two files that could be meant are a way to roll out the wrong one.",
            "Name the right one with `-f`, or remove the other.",
        ),
        NoteCode::EngineWarning => (
            "The engine made a container and warned of something that it did without.",
            "Its words are passed on, because what it did without may be what you rely on.",
            "Read the warning; most name a limit that the kernel does not support.",
        ),
        NoteCode::ComposeRecreates => (
            "A container is what it should be, but docker compose would recreate it at its next `up`.",
            "docker compose goes by a hash in the container's label, and a label can't be changed: not when a limit of the Compose file was changed in place, nor when a hook changed. evenkeel compares the fields.",
            "Nothing, where nobody runs `docker compose up`. Else `evenkeel restart SERVICE` makes a container with today's label, and `rollout.limits: replace` does so for each changed limit.",
        ),
        NoteCode::ComposeWarning => (
            "Something that docker compose warns of too.",
            "The files mean the same to both, and so do their oddities.",
            "Do what the warning says; nothing else depends on it.",
        ),
        NoteCode::VariableNotSet => (
            "A variable that a file uses is not set: an empty text stands for it, or the container does not have it.",
            "docker compose does the same. An image or a password that is silently empty is a bad surprise.",
            "Set it in the environment, in an env file or with `--set NAME=VALUE`; write `${NAME:?}` where it must be set, `${NAME:-}` where it may be empty.",
        ),
        NoteCode::OverrideInForce => (
            "An earlier `--image` or `--set` is in force and wins over the manifest.",
            "An override is part of the revision, so that an apply from elsewhere does not undo a deploy.",
            "`--unset SERVICE` or `--unset NAME` ends it.",
        ),
    };
    Explanation { means, why, to_do }
}
