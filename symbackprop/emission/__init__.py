"""Templates, files and loading: what every target and page is written with."""
