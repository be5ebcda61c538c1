"""Arena game server: several matches advance together in one tick loop."""
import random
import sys
import time

from loguru import logger as log

log.remove()
log.add(sys.stderr, format="<level>{level:.4}</level> {message}", level="DEBUG", colorize=False)

TICK_MS = 2


class ScriptError(Exception):
    pass


class Match:
    def __init__(self, mid, arena, players, rounds):
        self.mid, self.arena, self.players, self.rounds = mid, arena, players, rounds
        self.round, self.ticks, self.over = 0, 0, False
        self.score = dict.fromkeys(players, 0)


class ArenaServer:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.matches = {}
        self.tick_no = 0
        self.finished = []

    def load_map(self, name):
        log.info(f"Loading map {name}")  # @map
        time.sleep(0.003)
        log.info(f"Map {name} loaded: 512x512, 14 spawn points")  # @map_ok

    def join(self, player):
        log.debug(f"{player} joined the lobby, skill 1200")

    def start_match(self, mid, arena, players, rounds):
        log.info(f"Starting match {mid} on {arena}: {' vs '.join(players)}")  # @match
        self.matches[mid] = Match(mid, arena, players, rounds)

    def end_match(self, m):
        winner = max(m.score, key=m.score.get)
        log.success(f"Match {m.mid} finished after {m.ticks} ticks, winner {winner}")  # @match_ok
        m.over = True
        self.finished.append(m.mid)

    def advance(self, m):
        m.ticks += 1
        if m.ticks % 2 == 1:
            m.round += 1
            log.debug(f"[{m.mid}] round {m.round} begins")  # @round
            if m.arena == "traps" and m.round == 2:
                raise ScriptError("trap.lua:17: attempt to index nil")
        else:
            who = self.rng.choice(m.players)
            m.score[who] += 1
            log.debug(f"[{m.mid}] round {m.round} won by {who}")  # @round_ok
            if m.round == m.rounds:
                self.end_match(m)

    def tick(self):
        self.tick_no += 1
        for m in list(self.matches.values()):
            try:
                self.advance(m)
            except ScriptError as e:
                log.error(f"Match {m.mid} crashed: {e}")  # @match_bad
                m.over = True
        self.matches = {k: m for k, m in self.matches.items() if not m.over}
        if self.tick_no % 3 == 0:
            log.info(f"tick {self.tick_no}: {len(self.matches)} matches running, load 3%, tick budget {TICK_MS}ms")
        time.sleep(TICK_MS / 1000)

    def save_stats(self, path):
        log.info(f"Saving match statistics to {path}")  # @save
        try:
            open(path, "w").close()
        except OSError as e:
            log.error(f"Could not save match statistics: {e.strerror}")  # @save_bad
            return
        log.info("Match statistics saved")  # @save_ok


def main():
    srv = ArenaServer(seed=5)
    for name in ("dunes", "traps"):
        srv.load_map(name)
    for p in ("ana", "ben", "cem", "dia"):
        srv.join(p)
    log.info("Server listening on udp/27015, 4 players online")
    srv.start_match("M1", "dunes", ["ana", "ben"], rounds=2)
    srv.tick()
    srv.start_match("M2", "traps", ["cem", "dia"], rounds=3)
    while srv.matches:
        srv.tick()
    srv.save_stats("/nonexistent-dir/stats.json")
    log.info(f"Server closing: finished={srv.finished}, crashed=1, ticks={srv.tick_no}")


if __name__ == "__main__":
    main()
