"""The concurrent collector against CPython's own: pauses, services, memory."""
