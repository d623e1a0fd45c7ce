"""The lab: real parts in folders of their own, for tests, the demo and benchmarks.

Rules: everything lives in a folder that the caller names; ports are free ones on loopback; processes are stopped by
their id; keys and certificates are made on the spot and are worth nothing outside.
Is not part of the product: :mod:`edoc` never imports it.
"""
