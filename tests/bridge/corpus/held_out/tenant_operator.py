"""Kubernetes-ish operator: a work queue of tenant keys, requeue on failure."""
import logging
import queue
import sys
from dataclasses import dataclass, field

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG,
                    format="%(levelname).1s1129 %(asctime)s %(name)s] %(message)s")
klog = logging.getLogger("tenant-operator")


class ApplyError(Exception):
    pass


@dataclass
class Cluster:
    tenants: dict
    flaky: set
    applied: list = field(default_factory=list)

    def apply(self, kind, key):
        klog.debug(f"apply {kind}/{key}")  # @apply
        if (kind, key) in self.flaky:
            self.flaky.discard((kind, key))
            klog.error(f"apply {kind}/{key} rejected: admission webhook timed out after 10 s")  # @rejected
            raise ApplyError(f"{kind} of {key} rejected")
        self.applied.append((kind, key))
        klog.debug(f"apply {kind}/{key} accepted, resourceVersion {100 + len(self.applied)}")  # @accepted


class Reconciler:
    def __init__(self, cluster):
        self.cluster = cluster
        self.retries = {}

    def reconcile(self, key):
        tenant = self.cluster.tenants.get(key)
        if tenant is None:
            klog.info(f"\"{key}\" was deleted in the meantime, reconcile done")  # @gone
            return
        klog.info(f"\"{key}\" phase={tenant['phase']}, wanted phase=Running, 1 pod started")
        if tenant["phase"] == "Terminating":
            klog.info(f"finalizers of \"{key}\" are being removed")  # @finalizers
            tenant["finalizers"] = []
            klog.info(f"\"{key}\" has no finalizers any more")  # @no_finalizers
        else:
            for kind in ("Namespace", "Quota"):
                self.cluster.apply(kind, key)
            try:
                self.cluster.apply("Dashboard", key)
            except ApplyError:
                klog.warning(f"\"{key}\" goes without a dashboard for now")
        klog.info(f"\"{key}\" in sync")  # @in_sync

    def run(self, work):
        klog.info("Starting workers, worker count: 1, resync period: 600s")
        while True:
            key = work.get()
            if key is None:
                klog.info("Shutting down workers")
                return
            klog.info(f"picked \"{key}\" from the queue (retries: {self.retries.get(key, 0)})")  # @picked
            try:
                self.reconcile(key)
            except ApplyError as e:
                self.retries[key] = self.retries.get(key, 0) + 1
                klog.error(f"Reconciler error for \"{key}\", requeue in 2s: {e}")  # @requeue
                work.put(key)
                work.put(None)


def main():
    work = queue.Queue()
    for key in ("blue", "red", "ghost", "failed-tenant", "green"):
        work.put(key)
    cluster = Cluster(
        tenants={"blue": {"phase": "New"}, "red": {"phase": "New"},
                 "failed-tenant": {"phase": "Terminating"}, "green": {"phase": "New"}},
        flaky={("Quota", "red"), ("Dashboard", "green")})
    Reconciler(cluster).run(work)
    klog.info(f"{len(cluster.applied)} objects applied, {len(work.queue)} keys left")


main()
