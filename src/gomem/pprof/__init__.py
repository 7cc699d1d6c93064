"""Profiles in pprof's format: the model, building, reading, writing, merging and filtering.

A ``Profile`` keeps its samples as flat columns and everything that samples share (locations, functions, mappings, label
sets) as small tables that samples point into, so that a million samples cost arrays and not objects.
"""

from gomem.pprof.builder import ProfileBuilder
from gomem.pprof.model import Function, LabelSet, Line, Location, Mapping, Profile, Samples, ValueType

__all__ = [
    "Function",
    "LabelSet",
    "Line",
    "Location",
    "Mapping",
    "Profile",
    "ProfileBuilder",
    "Samples",
    "ValueType",
]
