"""What a derivation says to a reader: text, LaTeX, Markdown, JSON, and the page of the catalogue."""
