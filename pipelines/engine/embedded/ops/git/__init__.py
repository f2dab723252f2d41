"""Git repositories, by URL or in a directory of ours."""
