"""Tests of handlerkit.metrics."""
