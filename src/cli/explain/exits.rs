//! What the exit codes mean.

use super::Explanation;
use crate::cli::exit::Exit;

/// What is said of an exit code.
pub fn explanation(exit: Exit) -> Explanation {
    let (means, why, to_do) = match exit {
        Exit::Done => (
            "Done: what was asked for is so. For `diff`, there may be changes.",
            "A script may go on.",
            "Nothing is left to do. To have `diff` tell changes from none, use `--exit-code`.",
        ),
        Exit::Changes => (
            "`diff --exit-code` found changes, or something is held.",
            "A pipeline can tell by it whether there is something to review.",
            "Review the plan, then apply it.",
        ),
        Exit::Usage => (
            "The usage, the manifest or a Compose file is wrong.",
            "Nothing was contacted: bad input is refused before anything else happens.",
            "Every fault is named at once, with its position and a hint. Correct them; `evenkeel validate` checks again.",
        ),
        Exit::Unreachable => (
            "The engine, a registry or another system can't be reached, or it refused.",
            "Before the first step nothing was changed. When the engine went away in the middle and stayed away, what was begun is recovered by the next apply.",
            "Check that the engine runs and that you may use its socket, that the image exists, and that the login is valid.",
        ),
        Exit::RolledBack => (
            "A rollout failed and was rolled back: what ran before serves again.",
            "A failed deploy must not look green, and must not cost the service.",
            "`evenkeel logs SERVICE --failed` has the log of the container that failed. Fix it and apply again.",
        ),
        Exit::Degraded => (
            "Degraded: a first deploy or a rollback failed, and a person is needed.",
            "There was nothing to go back to, or going back failed too.",
            "`evenkeel status` says what runs, `evenkeel logs SERVICE --failed` why the container failed.",
        ),
        Exit::Locked => (
            "Another apply holds the lock past `--lock-wait`, or another `run` keeps this home.",
            "Two at once would undo each other's work. The message says who holds it, since when, doing what.",
            "Wait for it, or raise `--lock-wait`. The lock ends with its holder; there is none to remove.",
        ),
        Exit::Stale => (
            "The saved plan is stale: what it was made from has changed.",
            "A plan that was reviewed is applied exactly, or not at all.",
            "The difference is printed. Make the plan again with `evenkeel diff --out FILE` and review it.",
        ),
        Exit::Refused => (
            "Refused by policy: capacity, required limits, protection, ownership.",
            "Nothing was changed: it is checked before the first step.",
            "The held entries of the plan say which rule it was and what to do; `evenkeel explain CODE` says more.",
        ),
        Exit::Held => (
            "Applied, except what is held.",
            "What can be done is done, what can't is named, and the stack is not called converged.",
            "`evenkeel status` lists what is held and why; `evenkeel explain CODE` says what to do.",
        ),
        Exit::Bug => (
            "A bug in evenkeel.",
            "It stopped rather than go on with something that should not be. The next apply recovers what was begun.",
            "Report what was printed, with the manifest if you can.",
        ),
        Exit::Interrupted => (
            "Interrupted by Ctrl-C or a signal.",
            "The first one finishes or undoes what is in flight and begins nothing new; the second leaves at once, and the next apply recovers.",
            "What was left is printed. `evenkeel apply` goes on.",
        ),
    };
    Explanation { means, why, to_do }
}
