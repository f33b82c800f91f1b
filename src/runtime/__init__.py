"""A runtime-interface client for AWS Lambda: standard library only, ready in a few milliseconds."""
