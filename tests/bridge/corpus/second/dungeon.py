"""A small dungeon, turn by turn."""
import logging
import random

chronicle = logging.getLogger("dungeon.chronicle")
logging.basicConfig(format="%(name)s> %(message)s", level=logging.INFO)
dice = random.Random(4)

SPEECH = [
    ("goblin", "Starting the ritual!"),
    ("rat", "My crossbow failed to load..."),
    ("innkeeper", "Dinner completed in 20 minutes"),
]


class Dead(Exception):
    pass


class Creature:
    def __init__(self, name, hp):
        self.name, self.hp = name, hp

    def hit(self, points):
        self.hp -= points
        chronicle.info(f"{self.name} loses {points} hp, {self.hp} left")
        if self.hp <= 0:
            raise Dead(self.name)


def duel(hero, foe):
    chronicle.info(f"⚔️ {hero.name} versus {foe.name}")  # @duel
    try:
        while True:
            foe.hit(4)
            hero.hit(1)
    except Dead as e:
        chronicle.info(f"⚔️ {e} lies on the floor, the hall is quiet")  # @quiet


def cast(hero, spell):
    chronicle.info(f"{hero.name} weaves a {spell}")  # @weave
    if spell == "bridge of light":
        chronicle.warning(f"the {spell} collapses into sparks")  # @collapse
        return False
    chronicle.info(f"the {spell} holds")  # @holds
    return True


def autosave(slot):
    chronicle.info(f"Autosave into slot {slot}...")  # @autosave
    data = {"slot": slot, "seed": 4}
    chronicle.info(f"Autosave ok ({len(str(data))} bytes)")  # @autosaved


def turn(number, hero):
    chronicle.info(f"═══ Turn {number} of 3 ═══")  # @turn
    who, words = SPEECH[number - 1]
    chronicle.info(f'{who} says: "{words}"')
    if number == 1:
        duel(hero, Creature("goblin", 7))
    elif number == 2:
        if not cast(hero, "bridge of light"):
            cast(hero, "rope ladder")
    else:
        duel(hero, Creature("rat", 3))
        chronicle.info("Quest 'Rats in the cellar' completed!")
    if number != 2:
        autosave(number)
    chronicle.info(f"Turn {number} over, torch burns for another {30 - number * 10} minutes")  # @turn_over


def play():
    hero = Creature("Brunhild", 20)
    chronicle.info(f"{hero.name} enters; on the quest board: 'Rats in the cellar'")
    for number in (1, 2, 3):
        turn(number, hero)
        dice.random()
    chronicle.info(f"Score: kills 2, spells failed 1, quests finished 1, hp {hero.hp}")


play()
