"""Where things are kept: `embedded` on one machine."""
