"""``import obs_run.auto`` starts obs-run in this process: for notebooks, frozen programs, where no launcher fits."""

from obs_run.launch.start import start

start("auto")
