//! The tables of the home, and how an older file becomes one of today: forward only, one step a version.

use super::error::HomeError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// What makes version n + 1 of version n. Those that were released are never changed; a change is a further one.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];

/// The version that this binary writes.
pub(super) fn known(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// The version of a file; 0 for one without tables.
pub(super) fn found(connection: &Connection) -> Result<i64, HomeError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Brings a file to the newest version, all steps in one transaction. A newer file is refused untouched.
pub(super) fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), HomeError> {
    let known = known(migrations);
    let newer = |found| HomeError::Newer { path: path.display().to_string(), found, known };
    match found(connection)? {
        version if version == known => return Ok(()),
        version if version > known => return Err(newer(version)),
        _ => {}
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have been quicker.
    let version = found(&transaction)?;
    if version > known {
        return Err(newer(version));
    }
    for migration in migrations.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}
