//! Who asks, and from what: `--actor`, the variables that CI systems set, or user@host. Read once, recorded in revisions.

use super::arguments::OriginArguments;
use crate::model::revision::Origin;

/// What a CI system calls the person, the commit and the page of the run; the first system that knows a thing says it.
const ACTORS: &[&str] = &[
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_USER_ID",
    "CI_COMMIT_AUTHOR",
];
const COMMITS: &[&str] = &["GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "GIT_COMMIT"];
const RUNS: &[&str] = &["CI_JOB_URL", "CI_PIPELINE_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "BUILD_URL"];

/// Takes the command line and the environment's variables (by name), and what to call the user where neither says so.
pub fn origin(typed: &OriginArguments, variable: &dyn Fn(&str) -> Option<String>, user_at_host: &str) -> Origin {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let first = |names: &[&str]| names.iter().find_map(|name| set(name));
    let github_run = || {
        let (server, repository, run) = (set("GITHUB_SERVER_URL")?, set("GITHUB_REPOSITORY")?, set("GITHUB_RUN_ID")?);
        Some(format!("{server}/{repository}/actions/runs/{run}"))
    };
    Origin {
        actor: typed.actor.clone().or_else(|| first(ACTORS)).unwrap_or_else(|| user_at_host.to_owned()),
        reason: typed.reason.clone(),
        commit: typed.commit.clone().or_else(|| first(COMMITS)),
        run_url: github_run().or_else(|| first(RUNS)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The same from this process.
pub fn of_process(typed: &OriginArguments) -> Origin {
    let variable = |name: &str| std::env::var(name).ok();
    let user = variable("USER").or_else(|| variable("LOGNAME")).filter(|name| !name.is_empty());
    let uid = rustix::process::getuid().as_raw();
    let known = || std::fs::read_to_string("/etc/passwd").ok().and_then(|users| name_of(&users, uid));
    let user = user.or_else(known).unwrap_or_else(|| format!("uid {uid}"));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    origin(typed, &variable, &format!("{user}@{host}"))
}

/// The name of a user in the text of `/etc/passwd`.
fn name_of(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find(|fields| fields.get(2) == Some(&uid.as_str())).map(|fields| fields[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: OriginArguments, variables: &[(&str, &str)]) -> Origin {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        origin(&typed, &variable, "ana@build")
    }

    #[test]
    fn a_user_without_variables_is_named_by_the_system() {
        let users = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(name_of(users, 1000).as_deref(), Some("ana"));
        assert_eq!(name_of(users, 7), None);
    }

    #[test]
    fn what_is_typed_wins_over_ci_and_ci_over_the_user() {
        let github = [
            ("GITHUB_ACTOR", "bo"),
            ("GITHUB_SHA", "9be02"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "us/core"),
            ("GITHUB_RUN_ID", "7"),
        ];
        let origin = found(OriginArguments::default(), &github);
        assert_eq!((origin.actor.as_str(), origin.commit.as_deref()), ("bo", Some("9be02")));
        assert_eq!(origin.run_url.as_deref(), Some("https://github.com/us/core/actions/runs/7"));
        let typed = OriginArguments { actor: Some("cy".into()), ..OriginArguments::default() };
        assert_eq!(found(typed, &github).actor, "cy");
        assert_eq!(found(OriginArguments::default(), &[("GITHUB_ACTOR", "")]).actor, "ana@build");
    }
}
