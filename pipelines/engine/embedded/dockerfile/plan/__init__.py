"""What is to be built: stages with their instructions, in an order in which each finds what it reads from."""
