"""From what a query selects to its answer: calls are evaluated, leaves are asked."""
