"""The cache as a folder of plain files: written out and read in."""
