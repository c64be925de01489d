"""`fastgd play`: networks that learn before one's eyes, as settings of a page say."""
