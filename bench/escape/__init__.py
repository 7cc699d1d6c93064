"""Verdicts of ``gomem escape`` against what really happens, on real packages."""
