"""What steps of several kinds share; nothing here depends on a kind."""
