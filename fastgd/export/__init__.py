"""Trained networks for elsewhere: as text of other languages, and as files of other libraries."""
