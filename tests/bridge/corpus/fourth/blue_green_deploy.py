#!/usr/bin/env python3
"""Blue/green deploy of the shop. Rolls back when the new colour is not healthy."""
import contextlib
import logging
import sys
import time

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
out = logging.getLogger("deploy")

FAKE_OUTPUT = {
    "docker build": ["Step 1/2 : FROM python:3.11", "Step 2/2 : COPY . /app", "Successfully built 9f1c"],
    "docker push": ["latest: digest: sha256:77aa size: 1570"],
    "systemctl start": ["Started shop@blue.service - error log at /var/log/shop/error.log"],
    "nginx -s reload": [],
}


class DeployError(RuntimeError):
    pass


def sh(cmd):
    out.info(f"   $ {cmd}")
    time.sleep(0.001)
    for key, lines in FAKE_OUTPUT.items():
        if cmd.startswith(key):
            for line in lines:
                out.info(f"   | {line}")


@contextlib.contextmanager
def step(title):
    t0 = time.time()
    out.info(f"▶ {title}")  # @step
    try:
        yield
    except Exception as e:
        out.error(f"✖ {title}: {e}")  # @step_bad
        raise
    out.info(f"✔ {title} ({time.time() - t0:.1f}s)")  # @step_ok


def probe(colour, n):
    return 503 if colour == "blue" else 200


def wait_healthy(colour, tries=3):
    for n in range(1, tries + 1):
        code = probe(colour, n)
        out.info(f"   probe {n}/{tries}: HTTP {code}")
        if code == 200:
            return
        time.sleep(0.001)
    raise DeployError(f"{colour} still answers 503 after {tries} probes")


def rollback(old, version):
    out.warning(f"↩️  Rolling back to {old} (v{version})")  # @rb
    sh("nginx -s reload")
    with step(f"health of {old}"):
        wait_healthy(old)
    out.warning(f"↩️  Rolled back, {old} (v{version}) serves traffic")  # @rb_ok


def deploy(version):
    old, new = "green", "blue"
    out.info(f"🚀 Deploying shop v{version} to {new}")  # @dep
    out.info(f"   live colour: {old}, drain timeout 30s, strategy blue/green")
    try:
        with step("build and push image"):
            sh(f"docker build -t shop:{version} .")
            with step("push"):
                sh(f"docker push shop:{version}")
        with step(f"start {new}"):
            sh(f"systemctl start shop@{new}")
        with step(f"health of {new}"):
            wait_healthy(new)
        sh("nginx -s reload")
    except DeployError as e:
        rollback(old, version - 1)
        out.error(f"💥 Deploy of v{version} failed: {e}")  # @dep_fail
        return 1
    out.info(f"🎉 Deploy of v{version} done")  # @dep_ok
    return 0


if __name__ == "__main__":
    code = deploy(42)
    out.info(f"exit status {code}; full transcript in deploy-42.log")
    sys.exit(code)
