"""Reports: a profile as text, one printer a file.

``Report`` holds what all of them share: which value counts, its total, and how values are written.
"""
