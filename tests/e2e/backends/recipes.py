"""How each backend is made where the machine has none: by Go, Apache's Kafka by Maven, the others from Debian."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.backends import cache, pins

HERE = Path(__file__).parent
_GO = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
_LAST_LINES = 15
_CHROMIUM = ("chromium-headless-shell", "fonts-dejavu-core")
_NOT_FOR_CHROMIUM = (
    "libc6",
    "libgl1-mesa-dri",
    "libllvm15",
    "libz3-4",
    "x11-utils",
)  # its own, or for screens
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_JAVA = "java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""A broker that lives for a test: what it begins with costs more than all that it does."""
_REDIS = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1")


class MissingError(Exception):
    """A backend is not to be had here; the text says what to install."""


def collector() -> Path:
    def make(target: Path) -> None:
        shutil.copy(HERE / "collector" / "go.mod", target)
        shutil.copy(HERE / "collector" / "go.sum", target)
        build_collector(target, "--skip-get-modules")

    recipe = cache.digest(json.dumps(builder_config(Path())), *_locks("collector"))
    return cache.provide("collector", recipe, make) / "otelcol"


def jaeger() -> Path:
    return _built("jaeger", "jaeger", pins.JAEGER, pins.JAEGER_COMMAND)


def nats_server() -> Path:
    return _built("nats-server", "nats_server", pins.NATS_SERVER, pins.NATS_SERVER_COMMAND)


def kafka_server() -> Path:
    """Build the program beside this file, around a broker in memory."""
    source = HERE / "kafka_server" / "main.go"

    def make(target: Path) -> None:
        for name in ("go.mod", "go.sum", source.name):
            shutil.copy(source.with_name(name), target)
        go("build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", "kafka-server", ".", where=target)

    return (
        cache.provide("kafka-server", cache.digest(source.read_bytes(), *_locks("kafka_server")), make) / "kafka-server"
    )


def apache_kafka() -> Path:
    """Gather the broker's archives; what is returned runs a class of theirs."""

    def make(target: Path) -> None:
        (target / "pom.xml").write_text(_pom(pins.KAFKA_PACKAGE, pins.KAFKA))
        maven(_MAVEN_COPY, "-DoutputDirectory=libs", "-DincludeScope=runtime", where=target)
        starter = target / "apache-kafka"
        starter.write_text(f'#!/bin/sh\nexec {_JAVA} -cp "$(dirname "$0")/libs/*" "$@"\n')
        starter.chmod(0o755)

    return cache.provide("apache-kafka", cache.digest(pins.KAFKA_PACKAGE, pins.KAFKA, _JAVA), make) / "apache-kafka"


def _pom(package: str, version: str) -> str:
    group, artifact = package.split(":")
    wanted = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
    return f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>obs-run</groupId><artifactId>backend</artifactId><version>1</version>
  <dependencies><dependency>{wanted}</dependency></dependencies>
</project>
"""


def maven(*arguments: str, where: Path) -> None:
    if not (shutil.which("mvn") and shutil.which("java")):
        raise MissingError("needs Java 17 or newer and Maven on PATH")
    _run(["mvn", "--batch-mode", "--quiet", *arguments], where, {})


def _built(name: str, module: str, version: str, command: str) -> Path:
    """Build a program as the go.mod in a folder beside this file says."""

    def make(target: Path) -> None:
        shutil.copy(HERE / module / "go.mod", target)
        shutil.copy(HERE / module / "go.sum", target)
        go("build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", name, command, where=target)

    return cache.provide(name, cache.digest(version, *_locks(module)), make) / name


def prometheus(name: str = "prometheus") -> Path:
    return debian("prometheus") / name


def alertmanager() -> Path:
    return debian("prometheus-alertmanager") / "prometheus-alertmanager"


def amtool() -> Path:
    return debian("prometheus-alertmanager") / "amtool"


def builder_config(target: Path) -> dict[str, object]:
    """What the Collector's builder is told."""
    dist = {
        "name": "otelcol",
        "description": "The Collector with what obs-run's configurations use.",
        "module": "obs-run/tests/e2e/backends/collector",
        "version": pins.COLLECTOR,
        "output_path": str(target),
    }
    parts = {kind: [{"gomod": module} for module in modules] for kind, modules in pins.COLLECTOR_PARTS.items()}
    return {"dist": dist, **parts}


def build_collector(target: Path, *options: str, **environment: str) -> None:
    config = target / "builder.json"
    config.write_text(json.dumps(builder_config(target)))
    go("run", pins.COLLECTOR_BUILDER, "--config", str(config), *options, where=target, **environment)


def go(*arguments: str, where: Path, **environment: str) -> None:
    if not shutil.which("go"):
        raise MissingError("needs Go 1.26 or newer on PATH to be built, or the program itself on PATH")
    _run(["go", *arguments], where, _GO | environment)


def redis_server() -> Path:
    """Unpack the server with its libraries; what is returned has it find them."""

    def make(target: Path) -> None:
        _unpack(_REDIS, target)
        starter = target / "redis-server"
        [library] = target.glob("usr/lib/*/liblzf.so.1")
        # Where the folder is from then on is not known yet.
        place = '"$(dirname "$0")"'
        path = f"{place}/usr/lib/{library.parent.name}"
        starter.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={path} exec {place}/usr/bin/redis-server "$@"\n')
        starter.chmod(0o755)

    _assert_debian("redis-server")
    return cache.provide("redis-server", cache.digest(*_REDIS), make) / "redis-server"


def chromium() -> Path:
    """Unpack the browser without a screen, with its libraries and one family of fonts."""

    def make(target: Path) -> None:
        _unpack(_CHROMIUM, target, _NOT_FOR_CHROMIUM)
        [library] = target.glob("usr/lib/*/libnss3.so")
        libraries = f"usr/lib/{library.parent.name}"
        folders = (libraries, libraries.removeprefix("usr/"), f"{libraries}/pulseaudio")
        place = '"$(dirname "$0")"'
        (target / "fonts.conf").write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
            '<dir prefix="relative">usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>'
        )
        starter = target / "chromium"
        path = ":".join(f"{place}/{folder}" for folder in folders)
        starter.write_text(
            f"#!/bin/sh\nLD_LIBRARY_PATH={path} FONTCONFIG_FILE={place}/fonts.conf "
            f'exec {place}/usr/lib/chromium/chromium-headless-shell "$@"\n'
        )
        starter.chmod(0o755)

    _assert_debian(_CHROMIUM[0])
    return cache.provide("chromium", cache.digest(*_CHROMIUM, *_NOT_FOR_CHROMIUM), make) / "chromium"


def debian(package: str) -> Path:
    """Unpack a package of this Debian release without installing it; its programs are in the returned folder."""
    _assert_debian(package)
    return cache.provide(package, cache.digest(package), lambda target: _unpack([package], target)) / "usr" / "bin"


def _assert_debian(package: str) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise MissingError(f"needs Debian's apt-get to get package {package}, or the program itself on PATH")


def _unpack(packages: Sequence[str], target: Path, without: Sequence[str] | None = None) -> None:
    """Unpack packages; where it is said which ones to do without, with all others that they depend on."""
    lists, archives = target / "lists", target / "archives"
    (lists / "partial").mkdir(parents=True)
    (archives / "partial").mkdir(parents=True)
    # Lists of our own: a fresh machine has none, and those of the system belong to root.
    private = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={target}", "-o", "APT::Sandbox::User="]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", *private, "update"], archives, environment)
    if without is None:
        _run(["apt-get", *private, "download", *packages], archives, environment)
    else:
        # As if nothing were installed, all that is needed is fetched.
        (target / "status").touch()
        private += ["-o", f"Dir::State::status={target / 'status'}", "-o", "Debug::NoLocking=1"]
        options = ["--yes", "--no-install-recommends", "--download-only"]
        _run(["apt-get", *private, "install", *options, *packages], archives, environment)
    for archive in archives.glob("*.deb"):
        if archive.name.partition("_")[0] not in (without or ()):
            _run(["dpkg-deb", "--extract", str(archive), str(target)], archives, environment)
    shutil.rmtree(lists)
    shutil.rmtree(archives)


def _locks(module: str) -> list[bytes]:
    return [(HERE / module / name).read_bytes() for name in ("go.mod", "go.sum")]


def _run(command: list[str], where: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=where,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
        raise MissingError(f"`{' '.join(command)}` failed:\n{tail}")
