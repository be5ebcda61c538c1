from __future__ import annotations

import signal

# Whoever starts the tests may ignore these, as nohup and shells do for what runs in the background; agents inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
