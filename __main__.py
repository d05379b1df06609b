"""``python -m maqa_severity`` is the ``maqa`` command."""

from .cli import main

if __name__ == "__main__":
    main()
