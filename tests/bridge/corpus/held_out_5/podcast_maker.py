"""Makes podcast episodes: research, script, voices, mix; some voices fail."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(message)s")
logger = logging.getLogger("PodcastMaker")


def research(topic):
    logger.info(f"🔎 Researching topic '{topic}'")  # @research
    time.sleep(0.003)
    facts = [w for w in topic.split() if len(w) > 3]
    logger.info(f"🔎 Research done, {len(facts)} facts collected")  # @research_ok
    return facts


def write_script(facts):
    logger.info("✍️ Drafting script...")  # @draft
    time.sleep(0.002)
    if not facts:
        logger.error("✍️ Drafting script failed: no facts to talk about")  # @draft_bad
        return None
    logger.info(f"✍️ Script drafted: {len(facts) * 40} words")  # @draft_ok
    return "\n".join(facts)


def speak(line, voice):
    logger.info(f"🗣 Synthesizing line with voice {voice}")  # @speak
    time.sleep(0.001)
    if voice == "echo":
        raise RuntimeError("voice server went away")
    logger.info(f"🗣 Line synthesized ({len(line)} chars)")  # @speak_ok


def make(topic):
    logger.info(f"🎙 Producing episode about '{topic}'")  # @episode
    started = time.time()
    script = write_script(research(topic))
    if script is None:
        logger.error(f"🎙 Episode about '{topic}' cancelled")  # @episode_bad
        return None
    for number, line in enumerate(script.splitlines()):
        try:
            speak(line, "echo" if number == 1 else "alloy")
        except RuntimeError as e:
            logger.warning(f"Line {number} is left silent: {e}")
    logger.info(f"🎙 Episode about '{topic}' produced in {time.time() - started:.2f}s")  # @episode_ok
    return script


for subject in ("deep sea cables", "a b", "honey bees"):
    make(subject)
logger.info("That's all for today 👋")
