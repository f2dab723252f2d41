"""Results of operations, and the single files that they keep."""
