"""What runs the pages of the docs and writes parts of them."""
