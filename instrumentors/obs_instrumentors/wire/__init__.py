"""Wire formats that several libraries speak: pure functions between what goes over the wire and operations."""
