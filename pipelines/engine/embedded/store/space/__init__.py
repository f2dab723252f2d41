"""Room on the disk: how much a store may keep, and what goes when there is too much."""
