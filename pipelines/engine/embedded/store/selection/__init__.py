"""Which paths of a tree are meant: patterns and `.gitignore` files."""
