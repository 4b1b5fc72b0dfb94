-- Which copies of mounted files a revision mounts. A name is a keyed hash.
CREATE TABLE copies (
    revision INTEGER NOT NULL,
    name     TEXT NOT NULL,
    PRIMARY KEY (revision, name)
) WITHOUT ROWID;
