"""A container's root file system before it starts: paths, users and programs in it, and what has to be made there."""
