"""One technology each; none knows another.

Each implements one port.
"""
