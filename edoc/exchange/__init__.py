"""The journeys, over ports only.

Outgoing, incoming, receipts, and the runner that drives them.
"""
