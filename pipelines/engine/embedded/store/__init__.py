"""Where the engine keeps what it made: layers, results, outputs, blobs and cache volumes, shared by all sessions of one user."""
