//! The files of one loading: read through the caller's door, within a budget, so that no include or env file is read
//! for ever.

use std::path::Path;

use super::reader::Reader;
use super::yaml::Fault;

/// All that one loading may read, in bytes, a file read twice counted twice.
const READ_BYTES_MAX: usize = 32 << 20;

/// What reading one more Compose file costs beside its length: a chain of includes is made of many small ones.
pub(crate) const DOCUMENT_BYTES: usize = 16 << 10;

/// An env file's values take so many times its length once they are in a model and in what is printed of it.
pub(crate) const VALUES_WEIGHT: usize = 8;

/// Reads files and keeps the budget.
pub(crate) struct Files<'a> {
    pub reader: &'a dyn Reader,
    spent: usize,
}

impl<'a> Files<'a> {
    /// A full budget.
    pub fn new(reader: &'a dyn Reader) -> Self {
        Self { reader, spent: 0 }
    }

    /// True when there is a file or folder of this name.
    pub fn exists(&self, path: &Path) -> bool {
        self.reader.is_file(path) || self.reader.is_folder(path)
    }

    /// The text of a file.
    pub fn text(&mut self, path: &Path) -> Result<String, Fault> {
        let name = path.display().to_string();
        self.spend(0, &name)?;
        let content = self
            .reader
            .read(path)
            .map_err(|error| Fault::of_file(&name, format!("cannot read the file: {error}")).code("read"))?;
        self.spend(content.len(), &name)?;
        String::from_utf8(content).map_err(|_| Fault::of_file(&name, "the file is not UTF-8").code("read"))
    }

    /// What is left of the budget.
    pub fn left(&self) -> usize {
        READ_BYTES_MAX.saturating_sub(self.spent)
    }

    /// True when nothing else can be read.
    pub fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Takes from the budget what is copied without being read again.
    pub fn spend(&mut self, bytes: usize, name: &str) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(bytes.max(64));
        if self.is_spent() {
            return Err(Fault::of_file(
                name,
                "the files grow too large once all that they extend and include is put in",
            )
            .code("too-large"));
        }
        Ok(())
    }
}
