"""The office's configuration."""
