"""Tests of handlerkit.logs."""
