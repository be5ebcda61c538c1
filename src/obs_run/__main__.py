"""``python -m obs_run``: the command obs-run where its script cannot be used."""

from obs_run.launch.command import main

main()
