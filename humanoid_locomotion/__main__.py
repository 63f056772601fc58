"""``python -m humanoid_locomotion`` is the command ``humanoid-locomotion``."""

from humanoid_locomotion.cli import main

if __name__ == '__main__':
    main()
