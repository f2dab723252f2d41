"""Publishing: images into the registry, by digest."""
