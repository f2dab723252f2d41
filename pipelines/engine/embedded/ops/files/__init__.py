"""Work on file systems: changes to them, reading and searching them, differences between them, and exports to the host."""
