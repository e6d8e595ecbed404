"""`python -m interlock`: the program, where no command of that name is on the path."""

from interlock.cli import main

if __name__ == "__main__":
    main()
