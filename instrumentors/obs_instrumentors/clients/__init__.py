"""Families of clients that were generated from one base: where their calls pass, whatever the library."""
