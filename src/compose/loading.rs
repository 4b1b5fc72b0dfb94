//! One loading: each file in its order through interpolation, extends, include, merge, schema and canonical form.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::rc::Rc;

use super::beside::Holders;
use super::canonical::canonical;
use super::checks::{set_defaults, validate};
use super::files::{DOCUMENT_BYTES, Files};
use super::interpolate::{self, Variable, interpolate_tree};
use super::merge::merge;
use super::path::Path;
use super::paths::Base;
use super::reset::Resets;
use super::resolve::from_variables;
use super::schema;
use super::unique::enforce;
use super::variables::Variables;
use super::warning::Warnings;
use super::yaml::{self, Fault, Faults, Map, Node, Position, SourceFile, Value};

/// What is shared by all files of one loading.
pub(crate) struct Loading<'a> {
    pub files: Files<'a>,
    pub faults: Faults,
    /// Where what is wrong was taken out.
    holders: Holders,
    pub warnings: Warnings,
    /// The variables that the files use.
    pub used: BTreeMap<String, Variable>,
    /// False leaves variables as they are written, and short forms that can't be read because of it.
    pub interpolated: bool,
}

/// What a set of files merged over each other shares: the main ones, or those of one include.
pub(crate) struct Level<'a> {
    /// The absolute folder of relative paths.
    pub folder: &'a FilePath,
    pub variables: &'a Variables,
    /// The files being included, outermost first.
    pub including: Vec<PathBuf>,
    /// The files that services extend, by path.
    pub extended: BTreeMap<PathBuf, Rc<Extended>>,
}

impl<'a> Level<'a> {
    pub fn new(folder: &'a FilePath, variables: &'a Variables, including: Vec<PathBuf>) -> Self {
        Self { folder, variables, including, extended: BTreeMap::new() }
    }
}

/// The services of a file that others extend, and what the file resets.
pub(crate) struct Extended {
    pub services: Node,
    pub resets: Resets,
}

/// A stage of a file found something wrong, which is in `Loading::faults`.
pub(crate) struct Stopped;

impl<'a> Loading<'a> {
    pub fn new(files: Files<'a>) -> Self {
        Self {
            files,
            faults: Faults::default(),
            holders: Holders::default(),
            warnings: Warnings::default(),
            used: BTreeMap::new(),
            interpolated: true,
        }
    }

    /// Keeps a fault, and says that there was one.
    pub fn stop(&mut self, fault: Fault) -> Stopped {
        self.faults.push(fault);
        Stopped
    }

    /// True when no more can be read or told: whatever goes on over many items ends then.
    pub fn is_exhausted(&self) -> bool {
        self.files.is_spent() || self.faults.is_full()
    }

    /// Reads and merges files, then resolves what belongs to this level alone.
    pub fn merged(&mut self, paths: &[PathBuf], level: &mut Level<'_>) -> Result<Node, Stopped> {
        let mut files = Vec::new();
        for path in paths {
            files.extend(self.documents(path).ok().map(|documents| (path.as_path(), documents)));
        }
        let complete = files.len() == paths.len();
        let merged = self.merged_documents(files, level);
        if complete { merged } else { Err(Stopped) }
    }

    /// Merges what was read, then resolves what belongs to this level alone.
    pub fn merged_documents(
        &mut self,
        files: Vec<(&FilePath, Vec<Node>)>,
        level: &mut Level<'_>,
    ) -> Result<Node, Stopped> {
        let mut model = empty();
        let mut sound = true;
        for (path, documents) in files {
            for document in documents {
                sound &= self.add(document, path, &mut model, level).is_ok();
            }
        }
        if sound { self.finished(model, level) } else { Err(Stopped) }
    }

    /// The last steps of a level: defaults, checks, paths, and what its own variables say.
    pub fn finished(&mut self, mut model: Node, level: &Level<'_>) -> Result<Node, Stopped> {
        set_defaults(&mut model, &Path::root());
        let mut faults = Faults::default();
        validate(&model, &Path::root(), &mut faults);
        self.base(level.folder, level.variables).resolve(&mut model, &mut faults);
        from_variables(&mut model, level.variables);
        self.go_on(&mut model, faults)?;
        Ok(model)
    }

    pub fn base<'b>(&self, folder: &'b FilePath, variables: &'b Variables) -> Base<'b>
    where
        'a: 'b,
    {
        Base { folder, home: variables.get("HOME"), reader: self.files.reader }
    }

    /// The documents of a file.
    pub fn documents(&mut self, path: &FilePath) -> Result<Vec<Node>, Stopped> {
        let name = path.display().to_string();
        let text = self.files.text(path).map_err(|fault| self.stop(fault))?;
        self.files.spend(DOCUMENT_BYTES, &name).map_err(|fault| self.stop(fault))?;
        yaml::parse_all(&name, text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|fault| self.stop(fault))
    }

    /// Merges one document over the model.
    pub fn add(
        &mut self,
        mut document: Node,
        path: &FilePath,
        model: &mut Node,
        level: &mut Level<'_>,
    ) -> Result<(), Stopped> {
        let resets = self.prepare(&mut document, level.variables)?;
        self.extends(&mut document, path, &resets, level)?;
        resets.apply(model, &Path::root());
        level.including.push(path.to_owned());
        let included = self.include(&mut document, level);
        level.including.pop();
        included?;
        let base = std::mem::replace(model, empty());
        *model = merge(base, document, &Path::root()).map_err(|fault| self.stop(fault))?;
        self.canonical(model, true)
    }

    /// Takes marks out of a document and puts variables in.
    pub fn prepare(&mut self, document: &mut Node, variables: &Variables) -> Result<Resets, Stopped> {
        if document.as_map().is_none() {
            let fault = Fault::at(&document.at, "top-level object must be a mapping").code("type");
            return Err(self.stop(fault));
        }
        let resets = Resets::take(document);
        interpolate::collect(document, &mut self.used);
        if !self.interpolated {
            return Ok(resets);
        }
        let mut faults = Faults::default();
        let budget = self.files.left();
        let grown = interpolate_tree(document, &variables.lookup(), budget, &mut faults, &mut self.warnings);
        let name = document.at.file.name.clone();
        self.go_on(document, faults)?;
        self.files.spend(grown, &name).map_err(|fault| self.stop(fault))?;
        Ok(resets)
    }

    /// Makes a merged model canonical, after checking it against the schema.
    pub fn canonical(&mut self, model: &mut Node, checked: bool) -> Result<(), Stopped> {
        let mut faults = Faults::default();
        enforce(model, &Path::root(), &mut faults);
        if checked {
            schema::check(model, &mut faults);
            self.obsolete(model);
        }
        self.go_on(model, faults)?;
        let mut faults = Faults::default();
        canonical(model, &mut faults, &mut self.warnings);
        if !self.interpolated {
            faults.retain(|fault| fault.code != Some("syntax"));
        }
        if faults.is_empty() {
            enforce(model, &Path::root(), &mut faults);
        }
        self.go_on(model, faults)
    }

    fn obsolete(&mut self, model: &mut Node) {
        if let Some(entry) = model.as_map_mut().and_then(|map| map.remove("version")) {
            let message =
                format!("{}: the attribute `version` is obsolete, it will be ignored", entry.key_at.file.name);
            self.warnings.push("obsolete", Some(&entry.key_at), message);
        }
    }

    /// Keeps what a stage found. The next one goes on beside it where that can be; there is no project in the end.
    pub fn go_on(&mut self, model: &mut Node, faults: Faults) -> Result<(), Stopped> {
        let Err(found) = faults.or(()) else { return Ok(()) };
        let in_bounds = found.iter().all(|fault| fault.code != Some("too-large"));
        self.keep(found.clone());
        let goes_on = in_bounds && !self.is_exhausted() && self.holders.take_out(model, &found);
        if goes_on { Ok(()) } else { Err(Stopped) }
    }

    /// Keeps faults, but those of what something wrong was taken out of.
    pub fn keep(&mut self, found: Vec<Fault>) {
        self.faults.extend(found.into_iter().filter(|fault| !self.holders.holds(fault)).collect());
    }
}

/// A model without anything.
pub(crate) fn empty() -> Node {
    let file = std::sync::Arc::new(SourceFile::new("", ""));
    Node::new(Value::Map(Map::new()), Position::start(&file))
}
