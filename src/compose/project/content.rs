//! Secrets and configs of the project: where their content is.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};

use super::record::{Extensions, Field, Form, Reading, extensions, read_or_default, write_extensions};
use super::values::Pairs;
use crate::compose::text::Text;
use crate::compose::yaml::{Node, Origin};

/// A secret or config of the project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileObject {
    /// Its name.
    pub name: String,
    /// The file that holds it, absolute.
    pub file: String,
    /// The variable that holds it.
    pub environment: String,
    /// The content, when it is written in the file or the variable is set. Sensitive by its origin.
    pub content: Option<Text>,
    /// It exists already and is not ours.
    pub external: bool,
    /// Labels.
    pub labels: Pairs,
    /// The driver.
    pub driver: String,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// The driver of its template.
    pub template_driver: String,
    /// The fields that begin with `x-`.
    pub extensions: Extensions,
}

/// Where the loader puts a secret's value, as docker compose does; it passes as an extension until it is read.
pub(crate) const SECRET_VALUE: &str = "x-#value";

fn own_extensions(node: &Node) -> Extensions {
    let mut found = node.as_map().map(extensions).unwrap_or_default();
    found.remove(SECRET_VALUE);
    found
}

impl Field for FileObject {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        fn part<T: Field>(node: &Node, key: &str, reading: &mut Reading) -> T {
            node.get(key).map(|node| reading.under(key, |r| read_or_default(node, r))).unwrap_or_default()
        }
        let content = [SECRET_VALUE, "content"].iter().find_map(|key| node.get(key)).and_then(Node::as_str);
        Self {
            name: part(node, "name", reading),
            file: part(node, "file", reading),
            environment: part(node, "environment", reading),
            content: content.map(|text| Text::new(text, Origin::Content)),
            external: part(node, "external", reading),
            labels: part(node, "labels", reading),
            driver: part(node, "driver", reading),
            driver_opts: part(node, "driver_opts", reading),
            template_driver: part(node, "template_driver", reading),
            extensions: own_extensions(node),
        }
    }

    fn tree(&self, form: Form) -> Json {
        // A content that a variable gave is not written: only what the file itself says.
        let content = self.content.clone().filter(|_| self.environment.is_empty()).unwrap_or_default();
        let mut out = JsonMap::new();
        let mut write = |key: &str, unset: bool, value: Json| {
            if !unset {
                out.insert(key.to_owned(), value);
            }
        };
        write("name", self.name.is_empty(), self.name.tree(form));
        write("file", self.file.is_empty(), self.file.tree(form));
        write("environment", self.environment.is_empty(), self.environment.tree(form));
        write("content", content.value.is_empty(), content.tree(form));
        write("external", !self.external, self.external.tree(form));
        write("labels", self.labels.is_unset(form), self.labels.tree(form));
        write("driver", self.driver.is_empty(), self.driver.tree(form));
        write("driver_opts", self.driver_opts.is_empty(), self.driver_opts.tree(form));
        write("template_driver", self.template_driver.is_empty(), self.template_driver.tree(form));
        write_extensions(&mut out, &self.extensions, form);
        Json::Object(out)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}
