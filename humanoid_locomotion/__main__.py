# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""``python -m humanoid_locomotion`` is the command ``humanoid-locomotion``."""

import os


def main() -> None:
    """Run the command line; Ctrl-C is a line and code 130, while it is imported too."""
    try:
        from humanoid_locomotion.cli import main as command_line
    except KeyboardInterrupt:
        os._exit(130)  # nothing is open yet; sys.exit may end by SIGINT, see cli/exit_codes.py
    command_line.main()


if __name__ == '__main__':
    main()
