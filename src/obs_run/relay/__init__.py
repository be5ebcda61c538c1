"""The relay: one process of a user and machine that exports what agents wrote into memory."""
