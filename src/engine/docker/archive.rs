//! One file as a tar archive, the form in which an engine takes files for a container.

use crate::model::container::WrittenFile;

/// The archive that holds the file under its path, from the root on.
pub(super) fn of(path: &str, file: &WrittenFile) -> std::io::Result<Vec<u8>> {
    let content = file.content.reveal().as_bytes();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(file.mode);
    header.set_uid(file.owner.map_or(0, |owner| owner.uid.into()));
    header.set_gid(file.owner.map_or(0, |owner| owner.gid.into()));
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, path.trim_start_matches('/'), content)?;
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{container::Owner, value::Value};
    use std::io::Read;

    #[test]
    fn an_archive_holds_the_file_with_its_rights() {
        let path = format!("/run/secrets/{}", "long/".repeat(40));
        let owner = Some(Owner { uid: 5, gid: 6 });
        let file = WrittenFile { content: Value::sensitive("hunter2"), mode: 0o440, owner };
        let bytes = of(&format!("{path}token"), &file).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(format!("/{}", entry.path().unwrap().display()), format!("{path}token"));
        let header = entry.header();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0o440, 5, 6));
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hunter2");
    }
}
