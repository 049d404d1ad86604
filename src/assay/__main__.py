"""`python -m assay`: the command line, where the script is not on the PATH."""

from assay.cli import main

if __name__ == "__main__":
    main()
