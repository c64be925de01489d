"""The kernel for any widths: layers as products of matrices, and how threads share them."""
