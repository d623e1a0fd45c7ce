"""edoc: sealed document exchange between the offices of a state.

Where to find what, bottom up; nothing imports from above itself:

* ``errors``      every fault: stable code, texts in two languages, what to do next
* ``model``       the nouns; ``model/state.py`` is the whole pipeline as one table: read it first
* ``envelopes``   bytes to model and back: edXML, status messages, ASiC-E containers, PDF revisions, frames
* ``signatures``  create and validate: XAdES, PAdES, CAdES, certificate chains
* ``directory``   which organisations exist, who follows whom, whose seal is whose
* ``ports``       what the journeys need from the world, as Protocols
* ``exchange``    the journeys: intake, outgoing, sending, arrivals, reception, receipts, answers, and their runner
* ``adapters``    one technology each: SQLite, RabbitMQ, folders, the bounded child, HTTP
* ``token``       the token process, the only place that loads a PKCS#11 module
* ``config``      the office's edoc.toml;  ``wiring`` which adapter stands behind which port
* ``daemon``      start, signals, watchdog, stop;  ``cli`` the commands

ARCHITECTURE.md tells a document's journey as a table, the invariants, and what a crash leaves at each step.
"""
