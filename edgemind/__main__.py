"""`python -m edgemind ...` is `edgemind ...`."""

from edgemind.entrypoints.cli import main

if __name__ == "__main__":
    main()
