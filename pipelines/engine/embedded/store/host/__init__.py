"""Folders of the host: what is read of them, and their files as snapshots."""
