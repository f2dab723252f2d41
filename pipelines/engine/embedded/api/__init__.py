"""The GraphQL API: schema, server, executor, and the lazy calls that stand for objects until a leaf is asked."""
