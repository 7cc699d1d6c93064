"""Escape analysis: for every allocation of a program, does it die with its frame, and if not, why.

``sites`` lists the allocation sites of a module; everything else of this package speaks of those.
"""
