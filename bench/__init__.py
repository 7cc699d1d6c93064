"""Benchmarks of gomem, one folder a claim; README.md says how to run and how to read them. Not part of the package."""
