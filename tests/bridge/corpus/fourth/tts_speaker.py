"""Async TTS worker. Long answers are cut into sentences; a barge-in cancels speech."""
import asyncio
import logging
import re
import sys

log = logging.getLogger("tts")


def setup():
    logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(relativeCreated)6d | %(levelname).1s | %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class Voice:
    def __init__(self, name):
        self.name = name

    async def synthesize(self, sentence):
        await asyncio.sleep(0.002)
        if "§" in sentence:
            raise UnicodeError("grapheme not in phoneme table")
        return b"\0" * len(sentence) * 160


class Speaker:
    def __init__(self):
        self.voice = None
        self.spoken = 0
        self.playing = asyncio.Event()

    async def load_voice(self, name):
        log.info(f"🔊 Loading voice '{name}'")  # @voice
        await asyncio.sleep(0.004)
        if name == "tina-neural":
            log.warning(f"Voice '{name}' is not installed, 'tina-small' will be used")
            name = "tina-small"
            await asyncio.sleep(0.001)
        self.voice = Voice(name)
        log.info(f"🔊 Voice '{name}' loaded, sample rate 22050")  # @voice_ok

    async def _render(self, utt, i, sentence):
        log.debug(f"[{utt}] synthesizing sentence {i}")  # @syn
        audio = await self.voice.synthesize(sentence)
        log.debug(f"[{utt}] sentence {i} synthesized, {len(audio)} bytes")  # @syn_ok
        return audio

    async def say(self, utt, text):
        log.info(f"[{utt}] Speaking: {text[:24]}...")  # @say
        try:
            for i, sentence in enumerate(re.findall(r"[^.!?]+[.!?]", text)):
                await self._render(utt, i, sentence)
                log.debug(f"[{utt}] playback buffer at {min(100, 30 * (i + 1))}%")
                self.playing.set()
                await asyncio.sleep(0.02)
            self.spoken += 1
            log.info(f"[{utt}] Finished speaking")  # @say_ok
        except asyncio.CancelledError:
            log.info(f"[{utt}] Interrupted by user, playback cancelled")  # @say_cut
            raise
        except UnicodeError as e:
            log.error(f"[{utt}] TTS error: {e}")  # @say_err


async def heartbeat():
    while True:
        log.debug("heartbeat: tts alive")
        await asyncio.sleep(0.011)


async def main():
    setup()
    hb = asyncio.create_task(heartbeat())
    sp = Speaker()
    await sp.load_voice("tina-neural")
    log.info("Waiting for utterances on queue 'speech'")
    await sp.say("u1", "Good morning. It is seven o'clock.")
    long = asyncio.create_task(sp.say("u2", "The history of tea begins in China. It is long. " * 20))
    sp.playing.clear()
    await sp.playing.wait()
    log.info("Barge-in detected (energy 0.31 > 0.20)")
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)
    await sp.say("u3", "Article 5 § 2 applies.")
    hb.cancel()
    log.info(f"TTS worker exiting; utterances spoken: {sp.spoken}, queue empty")


if __name__ == "__main__":
    asyncio.run(main())
