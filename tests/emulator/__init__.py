"""Tests of the local Lambda: real sockets, real processes."""
