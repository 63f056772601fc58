"""``python -m humanoid_locomotion`` is the command ``humanoid-locomotion``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C is a line and code 130, while it is imported too."""
    try:
        from humanoid_locomotion.cli import main as command_line
    except KeyboardInterrupt:
        sys.exit(130)
    command_line.main()


if __name__ == '__main__':
    main()
