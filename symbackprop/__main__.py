"""`python -m symbackprop`: the command line, where its script is not on the path."""

from symbackprop.cli.main import main

if __name__ == "__main__":
    main()
