"""The commands.

One module per group; render.py holds the output rules.
"""
