"""What the store holds: its folder, its index, and who uses what."""
