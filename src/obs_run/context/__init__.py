"""What is current: trace and log context, on their way into threads, children and messages."""
