"""The daemon of one office."""
