"""The pipeline: every state, every allowed move, and the prose beside each.

A *record* of the journal is one of four kinds, and each kind walks its own column of this table:

SUBMISSION   one document of ours, from the spool to a finished package
    ACCEPTED    the job is ours: copied, hashed, fsynced, in the journal
    SEALED      validated; every PDF that needed one carries the agency's seal
    PACKED      the container is written, its seal checked; it never changes again
    FAILED      refused before it left; the job's folder is in ``failed/`` with the reason

TRANSFER     one recipient of a packed document
    QUEUED      to be published (again)
    SENT        the broker confirmed; the signed receipt is awaited
    DELIVERED   the recipient's signed receipt was verified
    REFUSED     the recipient's signed refusal was verified
    HELD        nothing happens until the operator or the clerk decides
    FAILED      given up by decision; never by a timer

RECEPTION    one document for us
    ASSEMBLING  chunks are arriving
    STAGED      verified and admitted, or held and released; to be delivered, and owed a receipt
    HELD        could not be decided; the clerk's decision or new revocation data moves it
    DELIVERED   in the inbox, complete
    QUARANTINED refused; the bytes are in ``quarantine/``

STATUS       one status message of ours (receipt, refusal, clerk's status)
    INTENDED    to be signed: reception never waits for the token
    SIGNED      to be published (again)
    SENT        the broker confirmed; a status is never answered with a status

Rules: a move that is not in MOVES is impossible; states are one word, the same in code, journal, files and CLI.
Business codes (01…16) are another machine and never here.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The four kinds of record."""

    SUBMISSION = "submission"
    TRANSFER = "transfer"
    RECEPTION = "reception"
    STATUS = "status"


class State(StrEnum):
    """Every state of every kind."""

    ACCEPTED = "ACCEPTED"
    SEALED = "SEALED"
    PACKED = "PACKED"
    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    HELD = "HELD"
    FAILED = "FAILED"
    ASSEMBLING = "ASSEMBLING"
    STAGED = "STAGED"
    QUARANTINED = "QUARANTINED"
    INTENDED = "INTENDED"
    SIGNED = "SIGNED"


S = State

INITIAL: dict[Kind, frozenset[State]] = {
    Kind.SUBMISSION: frozenset({S.ACCEPTED, S.FAILED}),
    Kind.TRANSFER: frozenset({S.QUEUED}),
    Kind.RECEPTION: frozenset({S.ASSEMBLING, S.STAGED, S.HELD, S.QUARANTINED}),
    Kind.STATUS: frozenset({S.INTENDED}),
}
"""The states in which a record may be born."""

MOVES: dict[Kind, dict[State, frozenset[State]]] = {
    Kind.SUBMISSION: {
        S.ACCEPTED: frozenset({S.SEALED, S.FAILED}),
        S.SEALED: frozenset({S.PACKED, S.FAILED}),
    },
    Kind.TRANSFER: {
        # A receipt can overtake the commit of our own SENT: the broker is faster than our disk.
        S.QUEUED: frozenset({S.SENT, S.DELIVERED, S.REFUSED, S.HELD, S.FAILED}),
        S.SENT: frozenset({S.DELIVERED, S.REFUSED, S.HELD, S.QUEUED}),
        # Held by an alarm or by the operator; a late receipt still ends it.
        S.HELD: frozenset({S.QUEUED, S.DELIVERED, S.REFUSED, S.FAILED}),
        # The sender gave up, the recipient has it all the same: the signed evidence wins.
        S.FAILED: frozenset({S.DELIVERED, S.REFUSED}),
    },
    Kind.RECEPTION: {
        S.ASSEMBLING: frozenset({S.STAGED, S.HELD, S.QUARANTINED}),
        S.STAGED: frozenset({S.DELIVERED, S.HELD}),
        S.HELD: frozenset({S.STAGED, S.QUARANTINED}),
        # A refused package does not use up its document's identity: a good one may still come.
        S.QUARANTINED: frozenset({S.ASSEMBLING, S.STAGED, S.HELD}),
    },
    Kind.STATUS: {
        S.INTENDED: frozenset({S.SIGNED}),
        # A duplicate is answered with the stored receipt: published again, never signed again.
        S.SIGNED: frozenset({S.SENT}),
        S.SENT: frozenset({S.SIGNED}),
    },
}
"""From each state the states it may move to; a state without an entry is final.

A record may always be committed again in the same state (another attempt, more facts).
"""

RUNNABLE: dict[Kind, frozenset[State]] = {
    Kind.SUBMISSION: frozenset({S.ACCEPTED, S.SEALED}),
    # SENT comes due when no receipt arrived in time: the same bytes go again.
    Kind.TRANSFER: frozenset({S.QUEUED, S.SENT}),
    # ASSEMBLING comes due with its last chunk; HELD is verified again while revocation data may still arrive.
    Kind.RECEPTION: frozenset({S.ASSEMBLING, S.STAGED, S.HELD}),
    Kind.STATUS: frozenset({S.INTENDED, S.SIGNED}),
}
"""The states whose records the runner claims when they are due; in all others a record waits for an event."""


def allowed(kind: Kind, was: State, now: State) -> bool:
    """Say whether a record of `kind` may move from `was` to `now`."""
    return was is now or now in MOVES[kind].get(was, frozenset())


def final(kind: Kind, state: State) -> bool:
    """Say whether no move leads out of `state`."""
    return not MOVES[kind].get(state)
