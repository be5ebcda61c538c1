"""A build tool: recursion through targets, keep-going, commands echoed."""
import logging
import sys

yard = logging.getLogger("brickyard")
yard.setLevel(logging.DEBUG)
h = logging.StreamHandler(sys.stderr)
h.setFormatter(logging.Formatter("brickyard: %(message)s"))
yard.addHandler(h)

RULES = {
    "house": (["wall", "roof"], ["assemble house"]),
    "shed": (["wall"], ["assemble shed"]),
    "wall": (["brick", "mortar"], ["stack --load 12 brick", "echo 'start of wall failed?'"]),
    "roof": (["tile"], ["false --lift"]),
    "brick": ([], ["fire clay"]),
    "mortar": ([], ["stir sand"]),
}
FRESH = {"tile"}


class Broken(Exception):
    def __init__(self, target, why):
        super().__init__(f"{target}: {why}")
        self.target = target


class Yard:
    def __init__(self):
        self.built = set()
        self.step = 0

    def shell(self, command):
        self.step += 1
        yard.debug(f"[{self.step}/8] $ {command}")
        return 2 if command.startswith("false") else 0

    def make(self, target, depth=0):
        pad = "  " * depth
        if target in self.built:
            yard.debug(f"{pad}{target} already built")
            return
        if target in FRESH:
            yard.info(f"{pad}{target} up to date")
            return
        needs, commands = RULES[target]
        yard.info(f"{pad}▶ {target} (needs {len(needs)})")  # @target
        for need in needs:
            try:
                self.make(need, depth + 1)
            except Broken as e:
                yard.error(f"{pad}■ {target}: given up because of {e.target}")  # @given_up
                raise Broken(target, "prerequisite") from e
        for command in commands:
            code = self.shell(command)
            if code:
                yard.error(f"{pad}■ {target}: exit code {code}")  # @exit_code
                raise Broken(target, f"code {code}")
        self.built.add(target)
        yard.info(f"{pad}■ {target}: built")  # @built


def main(goals):
    y = Yard()
    bad = 0
    for goal in goals:
        try:
            y.make(goal)
        except Broken as e:
            bad += 1
            yard.warning(f"goal {e.target} is left broken, going on (-k)")
    yard.info(f"built: {len(y.built)}, failed: {bad}, commands: {y.step}, jobs limit 4, timeout 600s")
    return bad


main(["house", "shed"])
