"""Voice pipeline in asyncio: several sessions at a time, each with stages."""
import asyncio
import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logger = logging.getLogger("voice")


class Session:
    def __init__(self, session_id, audio):
        self.session_id, self.audio = session_id, audio

    async def transcribe(self):
        logger.info(f"[{self.session_id}] Transcribing audio ({len(self.audio)} samples)")  # @stt
        await asyncio.sleep(0.002)
        if not self.audio:
            logger.warning(f"[{self.session_id}] No speech detected")  # @stt_none
            return ""
        text = " ".join(self.audio)
        logger.info(f"[{self.session_id}] Transcript: '{text}'")  # @stt_ok
        return text

    async def respond(self, text):
        logger.info(f"[{self.session_id}] Generating response")  # @llm
        await asyncio.sleep(30 if text == "started" else 0.002)
        if "crash" in text:
            raise RuntimeError("model server closed the connection")
        reply = text[::-1]
        logger.info(f"[{self.session_id}] Response generated ({len(reply)} chars)")  # @llm_ok
        return reply

    async def speak(self, reply):
        logger.info(f"[{self.session_id}] Speaking...")  # @tts
        await asyncio.sleep(0.001)
        logger.info(f"[{self.session_id}] Finished speaking")  # @tts_ok

    async def run(self):
        logger.info(f"[{self.session_id}] Session started")  # @session
        try:
            text = await self.transcribe()
            if text:
                await self.speak(await self.respond(text))
        except RuntimeError as e:
            logger.error(f"[{self.session_id}] Session aborted: {e}")  # @session_bad
            return
        except asyncio.CancelledError:
            logger.info(f"[{self.session_id}] Session cancelled by user")  # @session_cancel
            raise
        logger.info(f"[{self.session_id}] Session ended")  # @session_ok


async def main():
    sessions = [Session("s1", ["hello", "friend"]), Session("s2", []), Session("s3", ["crash", "now"]), Session("s4", ["started"])]
    tasks = [asyncio.create_task(s.run()) for s in sessions]
    await asyncio.gather(*tasks[:3])
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    logger.info(f"All {len(sessions)} sessions processed")


asyncio.run(main())
