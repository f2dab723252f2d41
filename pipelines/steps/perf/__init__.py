"""Performance checks: a k6 script against the candidate."""
