"""Layers of images as files: archives unpacked and packed."""
