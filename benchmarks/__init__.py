"""Timings of the main road; nothing here is a test."""
