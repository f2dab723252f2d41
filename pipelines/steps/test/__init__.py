"""Tests: a command in a stage of an image, its JUnit report to a verdict."""
