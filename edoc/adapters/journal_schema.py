"""The journal's tables, its migrations, and how a connection is set up.

Rules: WAL with ``synchronous=FULL`` (NORMAL loses commits in a power cut); times are microseconds since 1970, UTC;
migrations run forward only, each in one transaction, in the order of MIGRATIONS; a journal from the future is refused.
Evidence is append-only: the table itself refuses UPDATE and DELETE.

The column ``work`` says where a record stands in the queue (see :class:`Work`); every index of the queue is partial on
it, so that a million finished records cost the queue nothing.  ``tally`` is kept by triggers: counting reads one row
per kind and state.

Does not know what a record means: :mod:`edoc.adapters.journal_moves` writes, :mod:`edoc.adapters.journal_reads` reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

from edoc.errors import EdocError
from edoc.errors.exchange import (
    DISK_FAILING,
    DISK_FULL,
    FILE_DENIED,
    JOURNAL_BUSY,
    JOURNAL_CLOSED,
    JOURNAL_DAMAGED,
    JOURNAL_MISSING,
    JOURNAL_NEWER,
    JOURNAL_OLDER,
)


class Work(IntEnum):
    """Where a record stands in the queue."""

    NONE = 0  # waits for an event, or final
    WAITING = 1  # runnable, not yet seen to be due
    READY = 2  # runnable, and its time had come when somebody last looked
    TAKEN = 3  # in work
    SUSPECT = 4  # an unclean stop left it in work: runs alone
    ALONE = 5  # in work, alone
    PARKED = 6  # killed the process three times while alone


_VERSION_1 = """
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    peer TEXT NOT NULL,
    state TEXT NOT NULL,
    lane TEXT NOT NULL,
    urgency INTEGER NOT NULL,
    created INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    work INTEGER NOT NULL,
    alone_starts INTEGER NOT NULL DEFAULT 0,
    dms_id TEXT,
    container TEXT,
    fault BLOB,
    body BLOB NOT NULL,
    UNIQUE (document_id, kind, peer)
) STRICT;
CREATE INDEX record_waiting ON record (lane, kind, next_attempt) WHERE work = 1;
CREATE INDEX record_ready ON record (lane, kind, urgency DESC, created, id) WHERE work = 2;
CREATE INDEX record_ready_due ON record (lane, kind, next_attempt) WHERE work = 2;
CREATE INDEX record_taken ON record (work) WHERE work >= 3;
CREATE INDEX record_listed ON record (kind, state, created, id);
CREATE INDEX record_dms ON record (dms_id) WHERE dms_id IS NOT NULL;
CREATE INDEX record_container ON record (container) WHERE container IS NOT NULL;

CREATE TABLE tally (kind TEXT, state TEXT, n INTEGER NOT NULL, PRIMARY KEY (kind, state)) STRICT, WITHOUT ROWID;
CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    INSERT INTO tally VALUES (new.kind, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER record_moved AFTER UPDATE OF state ON record WHEN new.state <> old.state BEGIN
    UPDATE tally SET n = n - 1 WHERE kind = old.kind AND state = old.state;
    INSERT INTO tally VALUES (new.kind, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN
    SELECT RAISE(ABORT, 'a record is never deleted: de-duplication is permanent');
END;

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_document ON evidence (document_id, id);
CREATE TRIGGER evidence_stands BEFORE UPDATE ON evidence BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1,)
"""Statement n brings the schema from version n to n + 1."""

VERSION = len(MIGRATIONS)


def connect(path: Path, *, readonly: bool, busy: float) -> sqlite3.Connection:
    """Open one connection; `busy` is how many seconds it waits for another process's write.

    A read-only connection works on a journal that exists; EdocError JOURNAL_MISSING otherwise.
    """
    if readonly and not path.exists():
        raise EdocError(JOURNAL_MISSING, journal=path)
    mode = "ro" if readonly else "rwc"
    # Autocommit: BEGIN is ours, Python's own transaction handling is off.  One connection lives in one thread at a
    # time, but is opened and closed from another.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=busy, isolation_level=None, check_same_thread=False
    )
    if not readonly:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # A burst leaves a large WAL file behind; it is cut back to this at the next checkpoint.
        connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the version of the schema, 0 for a new file."""
    row: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
    return row[0]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema forward to VERSION; EdocError JOURNAL_NEWER for a journal from the future."""
    version = schema_version(connection)
    if version > VERSION:
        raise EdocError(JOURNAL_NEWER, journal=path, found=version, known=VERSION)
    for number in range(version, VERSION):
        # executescript would commit first, so the transaction is inside the script.
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def require_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a journal of another version: EdocError JOURNAL_NEWER or JOURNAL_OLDER."""
    version = schema_version(connection)
    if version != VERSION:
        fault = JOURNAL_NEWER if version > VERSION else JOURNAL_OLDER
        raise EdocError(fault, journal=path, found=version, known=VERSION)


# --- What SQLite reports ---------------------------------------------------------------------------------------------

_PRIMARY = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_IOERR: DISK_FAILING,
    sqlite3.SQLITE_BUSY: JOURNAL_BUSY,
    sqlite3.SQLITE_LOCKED: JOURNAL_BUSY,
    sqlite3.SQLITE_CORRUPT: JOURNAL_DAMAGED,
    sqlite3.SQLITE_NOTADB: JOURNAL_DAMAGED,
    sqlite3.SQLITE_READONLY: JOURNAL_CLOSED,
    sqlite3.SQLITE_PERM: FILE_DENIED,
    sqlite3.SQLITE_CANTOPEN: FILE_DENIED,
}


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn an error of SQLite into an EdocError about the journal at `path`.

    A failed write or fsync is DISK_FAILING: the daemon must exit and start anew (what the kernel still holds in
    memory is not what the disk holds).  A failed growth of the shared-memory index is a full disk.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            raise EdocError(JOURNAL_CLOSED, cause=str(error), journal=path) from error
        fault = DISK_FULL if code == sqlite3.SQLITE_IOERR_SHMSIZE else _PRIMARY.get(code & 0xFF, JOURNAL_DAMAGED)
        cause = f"{error} ({error.sqlite_errorname})"
        raise EdocError(fault, cause=cause, journal=path, what=path) from error
