"""Layers and what is made of them: drafts, views, flatter stacks."""
