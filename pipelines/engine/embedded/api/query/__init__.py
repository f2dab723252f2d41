"""From the text of a query to what it selects, checked against the schema."""
