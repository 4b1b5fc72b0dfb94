//! `extends`: a service on top of another one, of the same file or another, in chains.

use std::path::{Path as FilePath, PathBuf};
use std::rc::Rc;

use super::loading::{Extended, Level, Loading, Stopped, empty};
use super::merge::merge;
use super::path::Path;
use super::paths::{is_remote, join};
use super::reset::Resets;
use super::yaml::{Fault, Map, Node, Value};

/// One service on the way down a chain.
struct Link<'a> {
    parent: Option<&'a Link<'a>>,
    file: &'a FilePath,
    service: &'a str,
}

impl Link<'_> {
    fn has(&self, file: &FilePath, service: &str) -> bool {
        self.file == file && self.service == service || self.parent.is_some_and(|parent| parent.has(file, service))
    }

    /// The chain in words; of a long one the end alone.
    fn chain(&self) -> String {
        const SHOWN: usize = 10;
        let links: Vec<&Link<'_>> = std::iter::successors(Some(self), |link| link.parent).take(SHOWN + 1).collect();
        let word = |link: &&Link<'_>| format!("{} in {}", link.service, link.file.display());
        let mut words: Vec<String> = links.iter().take(SHOWN).map(word).collect();
        if links.len() > SHOWN {
            words.push("…".to_owned());
        }
        words.reverse();
        words.join(" extends ")
    }

    fn length(&self) -> usize {
        1 + self.parent.map_or(0, Link::length)
    }
}

/// Longer chains are a mistake, or an attack on the stack.
const CHAIN_MAX: usize = 200;

/// Where the base of a service is.
struct Reference {
    service: String,
    file: Option<String>,
    at: super::yaml::Position,
}

/// A service and those of the same file that it extends, one after the other; none when it is not there.
fn chain(services: &Node, first: &str) -> Option<Node> {
    let mut map = Map::new();
    let mut next = Some(first);
    while let Some(name) = next.take().filter(|name| !map.contains_key(*name)) {
        let Some(entry) = services.as_map()?.get(name) else {
            break;
        };
        map.insert(name.to_owned(), entry.clone());
        next = match entry.node.get("extends") {
            Some(extends) if extends.as_str().is_some() => extends.as_str(),
            Some(extends) if extends.get("file").is_none_or(Node::is_null) => {
                extends.get("service").and_then(Node::as_str)
            }
            _ => None,
        };
    }
    map.contains_key(first).then(|| Node::new(Value::Map(map), services.at.clone()))
}

impl Loading<'_> {
    /// Puts every service of a document on top of what it extends.
    pub(crate) fn extends(
        &mut self,
        document: &mut Node,
        path: &FilePath,
        resets: &Resets,
        level: &mut Level<'_>,
    ) -> Result<(), Stopped> {
        let Some(mut services) = document.as_map_mut().and_then(|map| map.remove("services")) else {
            return Ok(());
        };
        let Some(map) = services.node.as_map() else {
            return Err(self.stop(Fault::at(&services.node.at, "services must be a mapping").code("type")));
        };
        let names: Vec<String> = map.keys().cloned().collect();
        let mut sound = true;
        for name in names {
            if self.is_exhausted() {
                return Err(Stopped);
            }
            let link = Link { parent: None, file: path, service: &name };
            sound &= self.extended(&link, &mut services.node, resets, level).is_ok();
        }
        if let Some(map) = document.as_map_mut() {
            map.insert("services".to_owned(), services);
        }
        if sound { Ok(()) } else { Err(Stopped) }
    }

    /// The service of a link with its bases merged in; it is put back into `services` so.
    fn extended(
        &mut self,
        link: &Link<'_>,
        services: &mut Node,
        resets: &Resets,
        level: &mut Level<'_>,
    ) -> Result<Node, Stopped> {
        let Some(service) = services.get(link.service) else {
            return Ok(Node::null(services.at.clone()));
        };
        if !service.is_null() && service.as_map().is_none() {
            let message = format!("services.{} must be a mapping", link.service);
            return Err(self.stop(Fault::at(&service.at, message).code("type")));
        }
        let service = service.clone();
        let Some(reference) = self.reference(&service, link)? else {
            return Ok(service);
        };
        let mut base = match &reference.file {
            None => self.base_here(&reference, link, services, resets, level)?,
            Some(file) => self.base_there(&reference, file, link, level)?,
        };
        if base.is_null() {
            return Ok(service);
        }
        self.files.spend(base.weight(), &link.file.display().to_string()).map_err(|fault| self.stop(fault))?;
        let keys = Path::root();
        let keys = keys.child("services");
        let keys = keys.child(link.service);
        resets.apply(&mut base, &keys);
        let mut merged = merge(base, service, &keys).map_err(|fault| self.stop(fault))?;
        if let Some(map) = merged.as_map_mut() {
            map.remove("extends");
        }
        if let Some(entry) = services.as_map_mut().and_then(|map| map.get_mut(link.service)) {
            entry.node = merged.clone();
        }
        Ok(merged)
    }

    fn reference(&mut self, service: &Node, link: &Link<'_>) -> Result<Option<Reference>, Stopped> {
        let Some(extends) = service.get("extends") else {
            return Ok(None);
        };
        let at = extends.at.clone();
        if let Some(name) = extends.as_str() {
            return Ok(Some(Reference { service: name.to_owned(), file: None, at }));
        }
        let Some(name) = extends.get("service").and_then(Node::as_str) else {
            return Err(
                self.stop(Fault::at(&at, format!("extends.{}.service is required", link.service)).code("required"))
            );
        };
        let file = match extends.get("file") {
            None => None,
            Some(node) if node.is_null() => None,
            Some(node) => match node.as_str() {
                Some(file) => Some(file.to_owned()),
                None => {
                    return Err(self.stop(Fault::at(&node.at, "extends.file must be a string").code("type")));
                }
            },
        };
        Ok(Some(Reference { service: name.to_owned(), file, at }))
    }

    fn base_here(
        &mut self,
        to: &Reference,
        link: &Link<'_>,
        services: &mut Node,
        resets: &Resets,
        level: &mut Level<'_>,
    ) -> Result<Node, Stopped> {
        if services.get(&to.service).is_none() && services.as_map().is_none_or(|map| !map.contains_key(&to.service)) {
            return Err(self.not_found(to, link, link.file));
        }
        let next = self.next(to, link, link.file)?;
        self.extended(&next, services, resets, level)
    }

    fn base_there(
        &mut self,
        to: &Reference,
        file: &str,
        link: &Link<'_>,
        level: &mut Level<'_>,
    ) -> Result<Node, Stopped> {
        if is_remote(file) {
            let message = format!("not built yet: extends of a remote file, `{file}`");
            return Err(self.stop(Fault::at(&to.at, message).code("not-built")));
        }
        let path = join(level.folder, file);
        let extended = self.extended_file(&path, to, link, level)?;
        let Some(mut services) = chain(&extended.services, &to.service) else {
            return Err(self.not_found(to, link, &path));
        };
        self.files.spend(services.weight(), file).map_err(|fault| self.stop(fault))?;
        let next = self.next(to, link, &path)?;
        self.extended(&next, &mut services, &extended.resets, level)
    }

    fn next<'b>(&mut self, to: &'b Reference, link: &'b Link<'b>, file: &'b FilePath) -> Result<Link<'b>, Stopped> {
        if link.has(file, &to.service) || link.length() > CHAIN_MAX {
            let message = format!("circular reference: {} extends {} in {}", link.chain(), to.service, file.display());
            return Err(self.stop(Fault::at(&to.at, message).code("cycle")));
        }
        Ok(Link { parent: Some(link), file, service: &to.service })
    }

    fn not_found(&mut self, to: &Reference, link: &Link<'_>, file: &FilePath) -> Stopped {
        let message = format!(
            "cannot extend service \"{}\": service \"{}\" not found in {}",
            link.service,
            to.service,
            file.display()
        );
        self.stop(Fault::at(&to.at, message).code("undefined"))
    }

    /// The services of another file: canonical, with paths made absolute from that file's folder, not checked yet.
    fn extended_file(
        &mut self,
        path: &PathBuf,
        to: &Reference,
        link: &Link<'_>,
        level: &mut Level<'_>,
    ) -> Result<Rc<Extended>, Stopped> {
        if let Some(known) = level.extended.get(path) {
            return Ok(known.clone());
        }
        if !self.files.reader.is_file(path) {
            let message = format!("cannot extend service \"{}\": cannot read {}", link.service, path.display());
            return Err(self.stop(Fault::at(&to.at, message).code("read")));
        }
        let mut model = empty();
        let mut resets = Resets::default();
        for mut document in self.documents(path)? {
            resets = self.prepare(&mut document, level.variables)?;
            resets.apply(&mut model, &Path::root());
            model = merge(model, document, &Path::root()).map_err(|fault| self.stop(fault))?;
            self.canonical(&mut model, false)?;
        }
        let folder = path.parent().unwrap_or(path).to_owned();
        let mut faults = super::yaml::Faults::default();
        self.base(&folder, level.variables).resolve(&mut model, &mut faults);
        if let Err(found) = faults.or(()) {
            self.faults.extend(found);
            return Err(Stopped);
        }
        let services = model.as_map_mut().and_then(|map| map.remove("services")).map(|entry| entry.node);
        let Some(services) = services.filter(|services| services.as_map().is_some()) else {
            let message =
                format!("cannot extend service \"{}\" in {}: no services section", link.service, path.display());
            return Err(self.stop(Fault::at(&to.at, message).code("undefined")));
        };
        let extended = Rc::new(Extended { services, resets });
        level.extended.insert(path.clone(), extended.clone());
        Ok(extended)
    }
}
