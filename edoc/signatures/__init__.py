"""Create and validate signatures, pure.

XAdES, PAdES, CAdES, chains; time is an argument.
"""
