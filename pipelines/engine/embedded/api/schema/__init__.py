"""The types of the API: read from the installed SDK, kept in a cache, shown to introspection."""
