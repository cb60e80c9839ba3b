"""Notifications leave the server: signed to a webhook, and as lines of its log."""
