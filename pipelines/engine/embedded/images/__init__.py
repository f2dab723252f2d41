"""Images: references, registries (by skopeo), layers as directories and as tar, OCI layouts and archives."""
