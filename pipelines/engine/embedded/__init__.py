"""The embedded engine: the Dagger API served on one Linux machine, without Docker, a daemon or the internet.

Rooms, top down: `main` (command line), `launcher` and `jail` (the processes of a session), `api` (GraphQL), `ops` (lazy operations),
then `images`, `sandbox`, `network` and `store`. Kept free of imports: the session's first line must be out within 0.1 s.
"""
