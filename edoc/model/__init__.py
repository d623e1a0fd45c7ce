"""The nouns of the exchange: frozen values without input or output.

Rules: nothing here reads a clock, a file or a socket; a value that exists is well-formed.
Does not know bytes: :mod:`edoc.envelopes` turns these values into bytes and back.
"""
