"""The directory: which organisations exist, at which level, who follows whom, and whose seal is whose.

Rules: everything is as of a date; an organisation is found by code, never by name; nothing is ever deleted.
Does not fetch or store: the adapter does.
"""
