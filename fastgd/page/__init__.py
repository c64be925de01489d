"""A local page that shows a network while it learns: its server, its files, and what is drawn."""
