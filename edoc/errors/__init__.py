"""Every fault edoc can report, with the words to report it in.

A *fault* is a kind of error: a stable code, a public text in Vietnamese and English, a disposition and the next
step to take.  An :class:`EdocError` is one occurrence: a fault, the facts that fill its text, and a private cause
for the log.  The same object serves the log, the journal, the reply to the peer and the exit status.

Rules: a code never changes its meaning; a public text holds no path outside the office's folders, no secret and no
library message (those are the cause); every fault says what to do next.  One module per area holds the catalogue.

This package does not decide whether to retry; it only says what kind of failure it was.
"""

from edoc.errors.fault import Disposition, EdocError, Fault, FaultReport, catalogue, fault_named

__all__ = ["Disposition", "EdocError", "Fault", "FaultReport", "catalogue", "fault_named"]
