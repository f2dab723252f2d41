"""Images: a multi-stage Dockerfile to an image with labels, and the stages other steps run in."""
