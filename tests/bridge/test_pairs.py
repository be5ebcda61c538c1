from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

import pytest

from obs_run.bridge.pairs import NO_PLAN, make_plan
from obs_run.bridge.source_file import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from obs_run.bridge.source import File

# Lines are counted from 1, which is that of the function. What begins: its ends and failures.
Pairs = dict[int, tuple[list[int], list[int]]]


class Case(NamedTuple):
    source: str
    pairs: Pairs


CASES = {
    "the last line about the same value, whatever its verb": Case(
        """\
        def launch(agent):
            log.info("Launching %s on port %d", agent.name, agent.port)
            try:
                agent.wait()
            except OSError as error:
                log.error("%s did not come up: %s", agent.name, error)
                return False
            log.info("✅ %s is healthy", agent.name)
            return True
        """,
        {2: ([8], [6])},
    ),
    "an answer inside of a loop, and an error behind it": Case(
        """\
        def call(model, job):
            log.info("Calling %s for job %s", model, job)
            for attempt in range(3):
                try:
                    out = post(model)
                except OSError as error:
                    log.warning("%s: attempt %d failed: %s", model, attempt, error)
                    continue
                log.info("%s answered %s with %d characters", model, job, len(out))
                return out
            log.error("%s gave no answer", model)
            return None
        """,
        {2: ([9], [11])},
    ),
    "the last line before a function is left, of whatever it tells": Case(
        """\
        def classify(text):
            log.info("Analyzing utterance %s", text)
            for word in words:
                log.debug("%s: %.2f", word, score(word))
                if word in text:
                    log.info("Intent found: %s", word)
                    return word
            raise LookupError(text)
        """,
        {2: ([6], [])},
    ),
    "what a first line says was done, which nothing was": Case(
        """\
        def achieve(goal):
            log.info("goal accepted: %s", goal)
            for step in plan(goal):
                run(step)
            log.info("goal reached with %d notes", count())
        """,
        {2: ([5], [])},
    ),
    "how far the work of a pass has come": Case(
        """\
        def simulate(steps):
            for number in range(steps):
                total = reward(number)
                log.debug("step %d/%d reward=%.2f", number, steps, total)
        """,
        {},
    ),
    "a loop that serves": Case(
        """\
        def run(self):
            log.info("Starting request loop")
            while self.running:
                message = self.inbox.get()
                if message is None:
                    log.info("No request within 20 ms, stopping")
                    break
                self.handle(message)
        """,
        {},
    ),
    "what went well without errors": Case(
        """\
        def back_up(names):
            log.info("Backup of %d sources started", len(names))
            failed = [name for name in names if not pack(name)]
            if failed:
                log.error("Backup failed for %s", failed)
                return 1
            log.info("Backup finished without errors")
            return 0
        """,
        {2: ([7], [5])},
    ),
    "a stage that tells how far it is, amid what has begun": Case(
        """\
        def check_out(cart):
            log.info("Checkout started for cart %s", cart.number)
            price(cart)
            log.info("Cart %s priced", cart.number)
            ship(cart)
            log.info("Cart %s shipped", cart.number)
            log.info("Checkout of cart %s finished", cart.number)
        """,
        {2: ([7], [])},
    ),
    "a beginning and its end": Case(
        """\
        def fire(kiln):
            log.info("Firing kiln %s", kiln)
            log.info("checking gas")
            log.info("Kiln %s fired", kiln)
        """,
        {2: ([4], []), 3: ([], [])},
    ),
    "a failure where it is handled": Case(
        """\
        def fire(kiln):
            log.info("Firing kiln %s", kiln)
            try:
                light(kiln)
            except OSError:
                log.exception("kiln %s exploded", kiln)
                raise
            log.info("Kiln fired")
        """,
        {2: ([8], [6])},
    ),
    "a failure after a block that returns": Case(
        """\
        def ask(mill):
            for attempt in (1, 2):
                try:
                    log.info("Asking mill %s", mill)
                    answer = mill()
                    log.info("Mill %s answered", mill)
                    return answer
                except OSError:
                    log.warning("Mill %s timed out", mill)
        """,
        {4: ([6], [9])},
    ),
    "a way out that warns": Case(
        """\
        def cast(pot):
            log.info("Casting pot %s", pot)
            if pot.dry:
                log.warning("pot %s crumbles", pot)
                return
            log.info("pot %s cast and cast again", pot)
        """,
        {2: ([6], [4])},
    ),
    "work that is cancelled": Case(
        """\
        async def speak(text):
            log.info("Speaking %s", text)
            try:
                await play(text)
                log.info("Spoken")
            except asyncio.CancelledError:
                log.info("interrupted by the listener")
                raise
        """,
        {2: ([5, 7], [])},
    ),
    "a beginning after which nothing is done": Case(
        """\
        def serve(peer):
            log.info("closing the door to %s", peer)
            return
        """,
        {},
    ),
    "the last line for the end of what nothing ends": Case(
        """\
        def leaf(book):
            log.info("Leafing through it")
            page = book.find()
            log.info("page %s", page)
            return page
        """,
        {2: ([4], [])},
    ),
    "two ends on two ways": Case(
        """\
        def glaze(pot):
            log.info("Glazing pot %s", pot)
            if pot.dry:
                log.info("pot glazed twice")
                return
            log.info("pot glazed once")
        """,
        {2: ([4, 6], [])},
    ),
    "ways that exclude each other": Case(
        """\
        def glaze(pot):
            if pot.dry:
                log.info("Glazing pot %s", pot)
            else:
                log.info("pot %s glazed", pot)
        """,
        {3: ([], [])},
    ),
    "the nearer beginning": Case(
        """\
        def glaze(pot):
            log.info("Starting")
            log.info("Glazing pot %s", pot)
            log.info("done")
            log.info("Pot %s glazed", pot)
        """,
        {2: ([], []), 3: ([5], [])},
    ),
    "a failure of one item of a loop": Case(
        """\
        def glaze(pots):
            log.info("Glazing pots")
            for pot in pots:
                try:
                    dip(pot)
                except OSError:
                    log.error("pot %s broken", pot)
            log.info("Pots glazed")
        """,
        {2: ([8], [])},
    ),
    "a request and its answer": Case(
        """\
        def serve(job):
            log.info("job %s received", job)
            log.info("reply sent")
        """,
        {2: ([3], [])},
    ),
    "around what a context manager does": Case(
        """\
        @contextmanager
        def heat(kiln):
            log.info("kiln %s hot", kiln)
            try:
                yield
            except OSError:
                log.warning("kiln %s odd", kiln)
                raise
            log.info("kiln %s cold", kiln)
        """,
        {3: ([9], [7])},
    ),
    "around what a decorator wraps": Case(
        """\
        def logged(function):
            def wrapper(*args):
                log.info("kiln on")
                found = function(*args)
                log.info("kiln off")
                return found
            return wrapper
        """,
        {3: ([5], [])},
    ),
    "the same words and value at the beginning": Case(
        """\
        def visit(guest):
            log.info("guest %s at the gate", guest)
            log.debug("tea")
            log.info("guest %s at home", guest)
        """,
        {2: ([4], [])},
    ),
    "the same value in the first and last line": Case(
        """\
        def visit(guest):
            log.info("hello %s", guest)
            log.debug("tea")
            log.info("farewell to %s", guest)
        """,
        {2: ([4], [])},
    ),
    "an end that no word tells": Case(
        """\
        def weigh(pot):
            log.info("Weighing pot %s", pot)
            log.info("pot weight: %d", pot.weight)
        """,
        {2: ([3], [])},
    ),
    "a beginning that no word tells": Case(
        """\
        def weigh(pot):
            log.info("clay pot for scale")
            log.info("tea")
            log.info("clay pot weighed")
        """,
        {2: ([4], [])},
    ),
    "a state is no beginning": Case(
        """\
        def weigh(pot):
            log.info("scale ready for pot")
            log.info("pot weighed on scale")
        """,
        {},
    ),
    "told twice": Case(
        """\
        def fire(kiln):
            log.info("Firing kiln")
            log.info("Firing kiln %s slowly", kiln)
            log.info("Kiln fired")
        """,
        {2: ([4], [])},
    ),
    "the first and last line of a loop's pass, which waits before": Case(
        """\
        def work(queue):
            while True:
                parcel = queue.get()
                log.info("courier took %s", parcel)
                try:
                    deliver(parcel)
                except OSError as error:
                    log.warning("courier lost %s: %s", parcel, error)
                    continue
                log.info("courier back from %s", parcel)
        """,
        {4: ([10], [8])},
    ),
    "a beginning after blocks that leave at once": Case(
        """\
        def bake(loaf, oven):
            if oven.cold:
                log.info("%s: oven is cold", loaf)
                return
            log.info("%s goes in", loaf)
            oven.bake(loaf)
            log.info("%s is brown", loaf)
        """,
        {5: ([7], [])},
    ),
    "a beginning behind rulers": Case(
        """\
        def bake(oven):
            log.info("-" * 20)
            log.info("Bread of %d loaves", len(oven))
            log.info("-" * 20)
            oven.bake()
            log.info("Bread done")
        """,
        {3: ([6], [])},
    ),
    "a pass by the number of its loop": Case(
        """\
        def bake(loaves):
            for number, loaf in enumerate(loaves, 1):
                log.info("Loaf %d of %d", number, len(loaves))
                try:
                    fire(loaf)
                except OSError:
                    log.warning("Loaf %d lost", number)
            log.info("%d loaves done", len(loaves))
        """,
        {3: ([], [7])},
    ),
    "a number that only tells how far a loop has come": Case(
        """\
        def bake(loaves):
            for number, loaf in enumerate(loaves, 1):
                log.info("loaf %d of %d", number, len(loaves))
                fire(loaf)
        """,
        {},
    ),
    "what the other ways of a decision tell": Case(
        """\
        def find(name):
            log.info("searching for %s", name)
            found = ask(name)
            if found is None:
                log.info("there is no %s", name)
            else:
                log.info("found %s", name)
            note(found)
        """,
        {2: ([5, 7], [])},
    ),
    "another end beside that of a whole program": Case(
        """\
        def main():
            log.info("batch started")
            run()
            log.info("batch finished, 3 files scored")
        """,
        {2: ([4], [])},
    ),
    "what is sent, and said to be": Case(
        """\
        def send(parcel):
            for attempt in range(3):
                log.info("Sending parcel %s", parcel)
                post(parcel)
                log.info("Parcel %s sent", parcel)
                return
        """,
        {3: ([5], [])},
    ),
    "workers that are started in the midst": Case(
        """\
        def bake(loaf):
            log.info("Baking loaf %s", loaf)
            log.info("Starting 3 pool workers...")
            fire(loaf)
            log.info("%s is on the table", loaf)
        """,
        {2: ([5], [])},
    ),
    "the last line about the same by its words, rather than by a value": Case(
        """\
        def read(page):
            log.info("[%s] Trying the slow reader", page)
            words = slow(page)
            log.info("[%s] slow reader gave %d words", page, len(words))
            log.info("[%s] raw: %s", page, words)
        """,
        {2: ([4], [])},
    ),
    "the number of a step that is none": Case(
        """\
        def fit(steps):
            for step in range(steps):
                log.debug("step %d loss %.3f", step, 0.1)
                descend(step)
        """,
        {},
    ),
    "the first and the last line of a pass, by their number": Case(
        """\
        def fit(epochs):
            log.info("Training for %d epochs", epochs)
            for epoch in range(epochs):
                log.info(f"Epoch {epoch}/{epochs}")
                loss = descend(epoch)
                log.info(f"Epoch {epoch}/{epochs} - loss {loss:.3f}")
            log.info("Training complete")
        """,
        {2: ([7], []), 4: ([6], [])},
    ),
    "what a return amid a loop says is over, which is not the pass": Case(
        """\
        def run(goal):
            log.info(f"[AGENT] Run started for goal: {goal}")
            for step in range(4):
                log.info(f"[AGENT] Step {step + 1}/4")
                action = think(goal, step)
                if action == "final":
                    log.info(f"[AGENT] Run finished: {action}")
                    return action
                call(action)
            log.warning("[AGENT] Gave up after 4 steps")
        """,
        {2: ([7], [10]), 4: ([], [])},
    ),
    "an end for each way out, and none of a line that only draws": Case(
        """\
        def drive(angle):
            log.info("=" * 40)
            log.info(f"{name}: driving motor to {angle} degrees")
            turn(angle)
            if seen():
                log.info(f"{name}: obstacle seen, motor stopped early")
                return
            log.info(f"{name}: motor at {angle} degrees")
        """,
        {3: ([6, 8], [])},
    ),
    "a request line and its statuses": Case(
        """\
        async def chat(text):
            log.info("POST /v1/chat")
            if not text:
                log.warning("400 empty body")
                return 400
            try:
                answer = await complete(text)
            except ConnectionError as exc:
                log.error(f"502 no backend left: {exc}")
                return 502
            log.info(f"200 {len(answer)} chars")
        """,
        {2: ([4, 11], [9])},
    ),
    "texts that variables and functions make": Case(
        """\
        def proof(sheet):
            message = f"proof sheet {sheet} printing"
            log.info(json.dumps({"event": "proof.start", "sheet": sheet}))
            press(sheet)
            message = f"Proof {sheet} done"
            log.info(message)
        """,
        {3: ([6], [])},
    ),
    "counts of what went well and what did not": Case(
        """\
        def main():
            log.info("crew runner started")
            done = [kickoff(crew) for crew in crews]
            log.info(f"crews done: {sum(done)}, failed: {len(done) - sum(done)}")
        """,
        {},
    ),
    "a failure told for information, of what has a number": Case(
        """\
        def job(n):
            log.info(f"Starting job {n}")
            if not work(n):
                log.info(f"Job {n} failed: no disk")
                return
            log.info(f"Job {n} finished")
        """,
        {2: ([6], [4])},
    ),
}


def functions_of(path: Path, source: str) -> File:
    path.write_text(dedent(source), encoding="utf-8")
    return read_file(str(path), frozenset())


def pairs_of(file: File) -> Pairs:
    """Return what begins in the functions of a file, by lines."""
    found: Pairs = {}
    for function in file.values():
        lines = [each.line for each in function.statements]
        for order, start in make_plan(function, file).starts.items():
            ends, failures = sorted(start.ends), sorted(start.failures)
            found[lines[order]] = [lines[each] for each in ends], [lines[each] for each in failures]
    return found


@pytest.mark.parametrize("kind", CASES)
def test_lines_of_a_function_belong_together(tmp_path: Path, kind: str) -> None:
    assert pairs_of(functions_of(tmp_path / "agent.py", CASES[kind].source)) == CASES[kind].pairs


def test_an_end_in_another_function_is_noted(tmp_path: Path) -> None:
    source = """\
        def begin(kiln):
            log.info("Firing kiln %s", kiln)

        def sweep(floor):
            log.info("Sweeping floor %s", floor)

        def end(kiln):
            log.info("Kiln %s fired", kiln)
        """
    file = functions_of(tmp_path / "agent.py", source)
    starts = {function.name: make_plan(function, file).starts for function in file.values()}
    assert starts["begin"][0].ends_elsewhere
    assert not starts["begin"][0].is_alone()
    # Nothing is done after it, and nothing tells its end.
    assert not starts["sweep"]


def test_an_end_in_another_method_is_noted(tmp_path: Path) -> None:
    source = """\
        class Office:
            def take(self, parcel_id):
                self.open.add(parcel_id)
                log.info("parcel.started", extra={"parcel_id": parcel_id})

            def accept(self, order_id):
                self.open.add(order_id)
                log.info("Order %s accepted", order_id)

            def give(self, parcel_id):
                log.info("parcel.completed", extra={"parcel_id": parcel_id})

            def done(self, order_id):
                log.info("Order %s finished", order_id)
        """
    file = functions_of(tmp_path / "agent.py", source)
    starts = {function.name: make_plan(function, file).starts for function in file.values()}
    assert starts["take"][0].ends_elsewhere
    assert starts["accept"][0].ends_elsewhere
    assert not starts["give"]
    assert not starts["done"]


def test_the_two_methods_of_a_context_manager_are_a_pair(tmp_path: Path) -> None:
    source = """\
        class Kiln:
            def __enter__(self):
                log.info("kiln hot")

            def __exit__(self, *error):
                log.info("kiln cold")
        """
    file = functions_of(tmp_path / "agent.py", source)
    plans = {function.name: make_plan(function, file) for function in file.values()}
    [start] = plans["__enter__"].starts.values()
    assert start.is_entered
    assert list(plans["__exit__"].ends) == [0]


def test_no_plan_tells_nothing() -> None:
    assert not NO_PLAN.tells_something(0)
