"""Outlines: from masks to cubics that fit them, and what they enclose."""
