"""What `lockgate init` can see of a project that has no configuration yet."""
