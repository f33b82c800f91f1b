"""Tests of handlerkit.batch."""
