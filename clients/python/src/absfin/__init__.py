"""Python client and command line of abs-finance."""
