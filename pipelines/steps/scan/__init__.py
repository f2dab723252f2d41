"""Scans: Trivy over images and sources."""
