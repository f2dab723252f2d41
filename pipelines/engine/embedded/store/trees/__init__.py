"""Trees of files: read, written, copied, compared, measured and removed."""
