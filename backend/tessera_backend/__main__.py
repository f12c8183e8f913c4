"""`python -m tessera_backend` is `tessera`."""

from tessera_backend.cli import main

if __name__ == "__main__":
    main()
