//! Which project is meant: the one that is named, else the one that runs from the folder, else the one that the files name.

use crate::model::names::StackName;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A Compose project as its containers' labels tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    pub working_dir: PathBuf,
    pub config_files: Vec<PathBuf>,
    pub environment_files: Vec<PathBuf>,
    pub services: BTreeSet<String>,
    /// How many of its containers run.
    pub running: usize,
}

/// The project that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub name: StackName,
    /// As it runs; `None` where nothing of it does.
    pub project: Option<Project>,
}

/// Why it can't be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// Nothing of this name runs.
    NotThere(StackName),
    /// These run from the folder, and none has the name that the files give.
    Several(Vec<StackName>),
}

/// Chooses among what runs. `named` is what the user asks for; `by_files` the name that docker compose gives the files in
/// this folder, where there are files.
///
/// # Errors
/// What is named does not run, or several projects run from one folder.
pub fn choose(
    named: Option<&StackName>,
    by_files: Option<(&StackName, &Path)>,
    running: &BTreeMap<StackName, Project>,
) -> Result<Option<Choice>, Unclear> {
    let of = |name: &StackName| Choice { name: name.clone(), project: running.get(name).cloned() };
    if let Some(name) = named {
        // Without containers a name is as good as another where there are files for it.
        let known = running.contains_key(name) || by_files.is_some();
        return if known { Ok(Some(of(name))) } else { Err(Unclear::NotThere(name.clone())) };
    }
    let Some((name, folder)) = by_files else { return Ok(None) };
    let here: Vec<&StackName> =
        running.iter().filter(|(_, project)| project.working_dir == folder).map(|(name, _)| name).collect();
    match here.as_slice() {
        _ if here.contains(&name) => Ok(Some(of(name))),
        [] => Ok(Some(Choice { name: name.clone(), project: None })),
        [only] => Ok(Some(of(only))),
        several => Err(Unclear::Several(several.iter().map(|name| (*name).clone()).collect())),
    }
}

/// The files to take: those given, else those that the project runs from where all of them are still there, else those
/// that were found.
pub fn files_of(
    given: &[PathBuf],
    found: &[PathBuf],
    project: Option<&Project>,
    is_file: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let of_project = project.map(|project| project.config_files.as_slice()).unwrap_or_default();
    if !given.is_empty() {
        given.to_vec()
    } else if !of_project.is_empty() && of_project.iter().all(|file| is_file(file)) {
        of_project.to_vec()
    } else {
        found.to_vec()
    }
}

/// The files of variables that must be named: those that the project was started with, else those asked for. The `.env`
/// beside the first file is found without a word.
pub fn env_files_of(asked: &[PathBuf], project: Option<&Project>, folder: &Path) -> Vec<PathBuf> {
    let started = project.map(|project| project.environment_files.as_slice()).unwrap_or_default();
    let files = if started.is_empty() { asked } else { started };
    if files == [folder.join(".env")] { Vec::new() } else { files.to_vec() }
}

/// The profiles that are on: those asked for, and one for each service that runs and is off without it. `disabled` has
/// the services that are off, with the profiles that turn them on.
pub fn profiles_of(
    asked: &[String],
    disabled: &BTreeMap<String, Vec<String>>,
    project: Option<&Project>,
) -> Vec<String> {
    let mut profiles = asked.to_vec();
    for service in project.iter().flat_map(|project| &project.services) {
        let Some(turn_on) = disabled.get(service) else { continue };
        if let (false, Some(first)) = (turn_on.iter().any(|profile| profiles.contains(profile)), turn_on.first()) {
            profiles.push(first.clone());
        }
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(projects: &[(&str, &str)]) -> BTreeMap<StackName, Project> {
        let project = |folder: &str| Project { working_dir: folder.into(), ..Project::default() };
        projects.iter().map(|(name, folder)| (StackName::from(*name), project(folder))).collect()
    }

    fn chosen(named: Option<&str>, files: Option<&str>, projects: &[(&str, &str)]) -> Result<String, Unclear> {
        let (named, name) = (named.map(StackName::from), files.map(StackName::from));
        let by_files = name.as_ref().map(|name| (name, Path::new("/srv/shop")));
        let choice = choose(named.as_ref(), by_files, &running(projects))?;
        Ok(choice.map_or("none".to_owned(), |choice| {
            format!("{}{}", choice.name, if choice.project.is_some() { " runs" } else { "" })
        }))
    }

    #[test]
    fn what_runs_from_the_folder_is_meant_whatever_it_is_called() {
        let shop = ("shop", "/srv/shop");
        assert_eq!(chosen(None, Some("shop"), &[shop]).unwrap(), "shop runs");
        assert_eq!(chosen(None, Some("shop"), &[("prod", "/srv/shop")]).unwrap(), "prod runs");
        assert_eq!(chosen(None, Some("shop"), &[shop, ("prod", "/srv/shop")]).unwrap(), "shop runs");
        assert_eq!(chosen(None, Some("shop"), &[("shop", "/srv/other")]).unwrap(), "shop");
        assert_eq!(chosen(None, Some("shop"), &[]).unwrap(), "shop");
        assert_eq!(chosen(None, None, &[shop]).unwrap(), "none");
        let two = [("blue", "/srv/shop"), ("green", "/srv/shop")];
        assert_eq!(chosen(None, Some("shop"), &two), Err(Unclear::Several(vec!["blue".into(), "green".into()])));
    }

    #[test]
    fn what_is_named_is_meant() {
        let two = [("blue", "/srv/shop"), ("green", "/srv/shop")];
        assert_eq!(chosen(Some("green"), Some("shop"), &two).unwrap(), "green runs");
        assert_eq!(chosen(Some("red"), Some("shop"), &two).unwrap(), "red");
        assert_eq!(chosen(Some("red"), None, &two), Err(Unclear::NotThere("red".into())));
    }

    #[test]
    fn files_are_those_given_else_those_that_run_else_those_found() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let (a, b, both) = (paths(&["/a"]), paths(&["/b"]), paths(&["/a", "/b"]));
        let project = Project { config_files: both.clone(), ..Project::default() };
        assert_eq!(files_of(&b, &a, Some(&project), |_| true), b);
        assert_eq!(files_of(&[], &a, Some(&project), |_| true), both);
        assert_eq!(files_of(&[], &a, Some(&project), |path| path == Path::new("/a")), a);
        assert_eq!(files_of(&[], &a, None, |_| true), a);
    }

    #[test]
    fn the_env_file_that_is_found_anyway_is_not_named() {
        let of = |files: &[&str]| Project {
            environment_files: files.iter().map(PathBuf::from).collect(),
            ..Project::default()
        };
        let named = |asked: &[&str], project: &Project| {
            let asked: Vec<PathBuf> = asked.iter().map(PathBuf::from).collect();
            env_files_of(&asked, Some(project), Path::new("/srv")).len()
        };
        assert_eq!(named(&[], &of(&["/srv/.env"])), 0);
        assert_eq!(named(&["/x"], &of(&["/srv/.env"])), 0);
        assert_eq!(named(&["/x"], &of(&["/srv/.env", "/srv/b.env"])), 2);
        assert_eq!(named(&["/x"], &of(&[])), 1);
    }

    #[test]
    fn what_runs_has_its_profile_on() {
        let disabled = BTreeMap::from([
            ("debug".to_owned(), vec!["dev".to_owned(), "test".to_owned()]),
            ("load".to_owned(), vec!["test".to_owned()]),
            ("mail".to_owned(), vec!["mail".to_owned()]),
        ]);
        let services = ["debug", "load", "web"].map(str::to_owned).into();
        let project = Project { services, ..Project::default() };
        assert_eq!(profiles_of(&[], &disabled, Some(&project)), ["dev", "test"]);
        assert_eq!(profiles_of(&["test".to_owned()], &disabled, Some(&project)), ["test"]);
        assert!(profiles_of(&[], &disabled, None).is_empty());
    }
}
