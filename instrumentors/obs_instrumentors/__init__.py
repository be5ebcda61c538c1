"""One module for each library (or family of libraries): where to look, and what it means.

``TABLE`` is all that a process pays for at start: the modules to wait for, and who instruments them then.
"""

TABLE = {
    f"{package}.{module}": "obs_instrumentors.openai"
    for package in ("openai",)
    for module in ("_base_client", "_streaming", "_response", "_legacy_response")
}
