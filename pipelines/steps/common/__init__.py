"""What steps of several kinds share; knows no kind."""
