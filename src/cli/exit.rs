//! Exit codes: what a script may rely on. One place names them; who returns one says it with these names.

use std::process::ExitCode;

/// How a run of evenkeel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: done; for `diff` also that there are changes, without `--exit-code`.
    Done,
    /// 1: `diff --exit-code` found changes.
    Changes,
    /// 2: the usage, the manifest or a Compose file is wrong.
    Usage,
    /// 3: the engine, a registry or another system can't be reached or refused.
    Unreachable,
    /// 4: a rollout failed, and what ran before serves again.
    RolledBack,
    /// 5: a first deploy or a rollback failed: a person is needed.
    Degraded,
    /// 6: another apply holds the lock.
    Locked,
    /// 7: the saved plan is stale.
    Stale,
    /// 8: refused by policy.
    Refused,
    /// 9: applied, except what is held.
    Held,
    /// 70: a bug.
    Bug,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// Every exit code, in order.
    pub const ALL: &'static [Exit] = &[
        Exit::Done,
        Exit::Changes,
        Exit::Usage,
        Exit::Unreachable,
        Exit::RolledBack,
        Exit::Degraded,
        Exit::Locked,
        Exit::Stale,
        Exit::Refused,
        Exit::Held,
        Exit::Bug,
        Exit::Interrupted,
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Changes => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::RolledBack => 4,
            Exit::Degraded => 5,
            Exit::Locked => 6,
            Exit::Stale => 7,
            Exit::Refused => 8,
            Exit::Held => 9,
            Exit::Bug => 70,
            Exit::Interrupted => 130,
        }
    }

    /// The exit of this number; a number that none has is a bug.
    pub fn from_code(code: u8) -> Exit {
        Exit::ALL.iter().copied().find(|exit| exit.code() == code).unwrap_or(Exit::Bug)
    }

    /// Of several, the one to end with: the gravest of 5, 4, 3, 9; any other that is not 0 before them.
    pub fn gravest(exits: impl IntoIterator<Item = Exit>) -> Exit {
        exits.into_iter().max_by_key(|exit| exit.gravity()).unwrap_or(Exit::Done)
    }

    fn gravity(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Changes => 1,
            Exit::Held => 2,
            Exit::Unreachable => 3,
            Exit::RolledBack => 4,
            Exit::Degraded => 5,
            Exit::Stale => 6,
            Exit::Locked => 7,
            Exit::Refused => 8,
            Exit::Usage => 9,
            Exit::Interrupted => 10,
            Exit::Bug => 11,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_gravest_is_returned() {
        use Exit::*;
        assert_eq!(Exit::gravest([]), Done);
        assert_eq!(Exit::gravest([Done, Held, Done]), Held);
        assert_eq!(Exit::gravest([Held, Unreachable]), Unreachable);
        assert_eq!(Exit::gravest([RolledBack, Unreachable, Held]), RolledBack);
        assert_eq!(Exit::gravest([RolledBack, Degraded, Unreachable, Held]), Degraded);
    }

    #[test]
    fn every_exit_is_found_by_its_number() {
        for exit in Exit::ALL {
            assert_eq!(Exit::from_code(exit.code()), *exit);
        }
        assert_eq!(Exit::from_code(42), Exit::Bug);
    }
}
