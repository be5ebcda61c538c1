"""The viewer: recorded traces in a browser on this machine, and Jaeger's API over them."""
