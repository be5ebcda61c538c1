"""Dataclass workers of a type foundry; lines are joined from parts."""
import logging
from dataclasses import dataclass, field

logging.basicConfig(level=logging.INFO, format="%(message)s")


def line(*parts):
    return " | ".join(str(p) for p in parts)


@dataclass
class Worker:
    name: str
    skill: int
    cast: list = field(default_factory=list)

    def __post_init__(self):
        self.log = logging.getLogger(f"foundry.{self.name}")
        self.log.info(line(self.name, "at the bench", f"skill {self.skill}"))

    def job(self, job_id, letters):
        head = [self.name, job_id]
        self.log.info(line(*head, "begin", f"{len(letters)} letters"))  # @begin
        for i, letter in enumerate(letters, 1):
            self.log.info(line(*head, f"letter {i}/{len(letters)}", letter))
            if ord(letter) > 127 and self.skill < 5:
                self.log.error(line(*head, "fail", f"no matrix for {letter}"))  # @fail
                return None
            self.cast.append(letter)
        self.proof(head, letters)
        self.log.info(line(*head, "end"))  # @end
        return letters

    def proof(self, head, letters):
        message = f"proof sheet: {'/'.join(head)} inked"
        self.log.info(message)  # @inked
        sheet = letters.upper()
        message = f"proof sheet: {'/'.join(head)} dry, reads {sheet!r}"
        self.log.info(message)  # @dry


@dataclass
class Foundry:
    workers: list
    done: int = 0
    lost: int = 0

    def run(self, orders):
        log = logging.getLogger("foundry")
        for job_id, letters in orders:
            for worker in self.workers:
                if worker.job(job_id, letters):
                    self.done += 1
                    break
                log.warning(line("office", job_id, f"{worker.name} could not, next bench"))
            else:
                self.lost += 1
                log.error(line("office", job_id, "order failed, customer gets a letter"))
        log.info(line("office", f"begin {len(orders)}", f"end {self.done}", f"fail {self.lost}"))


if __name__ == "__main__":
    Foundry([Worker("aldus", 4), Worker("bodoni", 9)]).run([("o17", "end"), ("o18", "né"), ("o19", "fail")])
