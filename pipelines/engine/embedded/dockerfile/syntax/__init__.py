"""The text of a Dockerfile: split by the official parser, words expanded, numbers and patterns read."""
