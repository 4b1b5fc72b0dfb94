//! Secrets that the manifest points at: registry logins, headers of probes. They are read here and are sensitive from
//! then on; a file that holds one leaves no record in the manifest's hash, so that a new token is no new manifest.

use super::{manifest::SecretSource, project::Read, sources::Recording};
use crate::{
    compose::{Reader, yaml::Faults},
    model::{desired::Login, value::Value},
};
use std::{collections::BTreeMap, path::Path};

/// Where secrets are looked up.
pub struct Keeper<'a> {
    read: &'a Read,
    reader: &'a dyn Reader,
}

impl<'a> Keeper<'a> {
    /// Looks in the variables of the files that were read, and in the file system.
    pub fn new(read: &'a Read, recording: &Recording<'a>) -> Keeper<'a> {
        Keeper { read, reader: recording.unrecorded() }
    }

    /// The secret; one that is not there is a fault at `path` in the manifest.
    pub fn take(&self, source: &SecretSource, path: &[&str], faults: &mut Faults) -> Value {
        let found = match source {
            SecretSource::Env(name) => match self.read.variables.get(name) {
                Some(text) => Ok(text.to_owned()),
                None => Err(format!("the variable `{name}` is not set")),
            },
            SecretSource::File(name) => self.file(name),
        };
        let text = found.unwrap_or_else(|message| {
            faults.push(self.read.fault_at_value(path, message).code("secret"));
            String::new()
        });
        Value::sensitive(text)
    }

    fn file(&self, name: &str) -> Result<String, String> {
        let folder = self.read.manifest_file.parent().unwrap_or(Path::new("/"));
        let path = folder.join(name);
        let content = match self.reader.is_file(&path) {
            true => self.reader.read(&path).map_err(|error| format!("could not read `{}`: {error}", path.display()))?,
            false => return Err(format!("there is no file `{}`", path.display())),
        };
        let mut text = String::from_utf8(content).map_err(|_| format!("`{}` is not UTF-8", path.display()))?;
        // Editors end a file with a line break, which is no part of the secret.
        if text.ends_with('\n') {
            text.pop();
        }
        if text.ends_with('\r') {
            text.pop();
        }
        Ok(text)
    }
}

/// The registry logins by host.
pub fn logins(read: &Read, recording: &Recording<'_>, faults: &mut Faults) -> BTreeMap<String, Login> {
    let keeper = Keeper::new(read, recording);
    let mut logins = BTreeMap::new();
    for (index, registry) in read.stack.spec.registries.iter().enumerate() {
        let index = index.to_string();
        let path = ["spec", "registries", index.as_str()];
        let part = |field: &'static str| [path[0], path[1], path[2], field];
        let login = Login {
            username: keeper.take(&registry.username, &part("username"), faults),
            password: keeper.take(&registry.password, &part("password"), faults),
        };
        if logins.insert(registry.host.clone(), login).is_some() {
            let message = format!("`{}` has a login already", registry.host);
            faults.push(read.fault_at_value(&part("host"), message).code("conflict"));
        }
    }
    logins
}
