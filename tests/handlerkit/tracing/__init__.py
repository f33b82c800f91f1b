"""Tests of handlerkit.tracing, against a daemon that listens for real."""
