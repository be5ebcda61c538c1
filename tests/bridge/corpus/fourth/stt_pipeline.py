import logging
import queue
import sys
import threading
import time

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
logger = logging.getLogger("STTService")

END = object()


class DynamicSTT:
    def __init__(self):
        self.models = {}

    def get_model(self, lang):
        model_id = f"whisper-{'base.en' if lang == 'en' else 'medium'}"
        if model_id in self.models:
            return self.models[model_id]
        start_time = time.time()
        logger.info(f"Loading STT model '{model_id}'...")  # @load
        time.sleep(0.004)
        if lang == "tlh":
            logger.error(f"Failed to load STT model '{model_id}': language '{lang}' not in tokenizer")  # @load_bad
            return None
        self.models[model_id] = model_id
        logger.info(f"Loaded model '{model_id}' in {time.time() - start_time:.2f} seconds.")  # @load_ok
        return model_id

    def transcribe(self, seg_id, pcm, lang):
        model = self.get_model(lang)
        if model is None:
            logger.warning(f"No model for segment {seg_id}, skipping it")
            return None
        t0 = time.perf_counter()
        logger.info(f"Transcribing segment {seg_id} ({len(pcm)} ms of audio)")  # @stt
        time.sleep(0.002)
        text = pcm.strip(".").replace("_", " ")
        duration_ms = (time.perf_counter() - t0) * 1000
        logger.info(f"PERF_METRIC: [STTService] - [Transcription] - Duration: {duration_ms:.2f}ms")  # @stt_ok
        return text


class VoiceActivity(threading.Thread):
    """Cuts the stream into segments; '.' is silence."""

    def __init__(self, audio_q, seg_q):
        super().__init__(name="vad", daemon=True)
        self.audio_q, self.seg_q = audio_q, seg_q
        self.log = logging.getLogger("VAD")

    def run(self):
        self.log.info("VAD thread running, threshold 0.35, min silence 300 ms")
        state, n = "silence", 0
        while True:
            chunk = self.audio_q.get()
            if chunk is END:
                self.seg_q.put(END)
                break
            t0 = time.perf_counter()
            lang, pcm = chunk
            new = "speech" if pcm.strip(".") else "silence"
            if new != state:
                self.log.info(f"State change: {state} -> {new}")
                state = new
            if new == "speech":
                n += 1
                self.seg_q.put((f"seg-{n}", lang, pcm))
                cost = (time.perf_counter() - t0) * 1000
                self.log.info(f"PERF_METRIC: [VAD] - [Segmentation] - Duration: {cost:.2f}ms")  # @vad


def transcriber(stt, seg_q, out):
    while (item := seg_q.get()) is not END:
        seg_id, lang, pcm = item
        text = stt.transcribe(seg_id, pcm, lang)
        if text:
            out.append(text)
            logger.info(f'Transcript published to topic TRANSCRIPTION: "{text}"')
    logger.info("Transcriber drained its queue")


def main():
    audio_q, seg_q, out = queue.Queue(), queue.Queue(), []
    stt = DynamicSTT()
    vad = VoiceActivity(audio_q, seg_q)
    tr = threading.Thread(target=transcriber, args=(stt, seg_q, out), name="stt", daemon=True)
    vad.start()
    tr.start()
    for chunk in [("en", "...."), ("en", "open_the_window"), ("en", "...."), ("en", "task_failed_again..."),
                  ("tlh", "nuqneH"), ("en", "....")]:
        audio_q.put(chunk)
    audio_q.put(END)
    vad.join(1)
    tr.join(1)
    logger.info(f"Session summary: {len(out)} transcripts, average latency 2.1 ms, 1 segment dropped")


if __name__ == "__main__":
    main()
