"""What is told of runs: in notebooks, and as one file of HTML that stands alone."""
