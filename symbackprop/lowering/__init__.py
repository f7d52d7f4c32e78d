"""Scheduled equations to programs of array operations."""
