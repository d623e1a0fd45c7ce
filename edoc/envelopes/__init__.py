"""Bytes to model and back, pure.

edXML, status messages, ASiC-E containers, PDF revisions, frames.
"""
