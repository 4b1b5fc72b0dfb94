-- What is sealed is a BLOB named `sealed`; all other columns may be read by anyone who has the file.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The one with the greatest number is current.
CREATE TABLE revisions (
    number     INTEGER PRIMARY KEY,
    made       INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    commit_id  TEXT,
    run_url    TEXT,
    version    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    sealed     BLOB NOT NULL
);

-- `fingerprint` is a keyed hash of the service's desired hash: equal ones can be found without unsealing.
CREATE TABLE revision_services (
    revision    INTEGER NOT NULL,
    service     TEXT NOT NULL,
    record      TEXT,
    image       TEXT,
    fingerprint TEXT,
    PRIMARY KEY (revision, service)
) WITHOUT ROWID;

CREATE INDEX revision_services_by_service ON revision_services (service, revision);

CREATE TABLE facts (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind   TEXT NOT NULL,
    name   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (kind, name)
);

CREATE TABLE events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    time     INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    service  TEXT,
    body     TEXT NOT NULL
);

CREATE INDEX events_by_service ON events (service, seq) WHERE service IS NOT NULL;

CREATE TABLE last_rollouts (
    service TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    result  TEXT NOT NULL,
    text    TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE evidence (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    service TEXT NOT NULL,
    sealed  BLOB NOT NULL
);
