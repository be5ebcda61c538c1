"""A chat gateway: web hooks come in, a router picks a bot, replies go out."""
import logging
import time

log = logging.getLogger("gateway")
log.setLevel(logging.INFO)
_h = logging.StreamHandler()
_h.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s %(message)s"))
log.addHandler(_h)
log.propagate = False


class RateLimited(Exception):
    pass


class Bot:
    def __init__(self, name):
        self.name, self.log = name, logging.getLogger(f"gateway.bot.{name}")

    def reply(self, text):
        self.log.info(f"{self.name}: composing reply")  # @comp
        time.sleep(0.001)
        if text == "explode":
            raise KeyError("persona")
        self.log.info(f"{self.name}: reply composed, 3 sentences")  # @comp_ok
        return f"{self.name} says {text}"


class Gateway:
    def __init__(self):
        self.bots = {"help": Bot("helpdesk"), "fun": Bot("jester")}
        self.sent = 0

    def send(self, chat_id, text):
        log.info(f"Sending message to chat {chat_id}")  # @send
        for attempt in (1, 2):
            try:
                if chat_id == 13 and attempt == 1:
                    raise RateLimited("429 Too Many Requests")
                self.sent += 1
                log.info(f"Message to chat {chat_id} sent")  # @send_ok
                return
            except RateLimited as e:
                log.warning(f"Rate limited ({e}), sleeping 1s before attempt {attempt + 1}")
                time.sleep(0.001)

    def webhook(self, update):
        update_id = update["update_id"]
        log.info(f"Update {update_id} received from chat {update['chat']}")  # @upd
        topic, _, text = update["text"].partition(" ")
        bot = self.bots.get(topic)
        if bot is None:
            log.info(f"Update {update_id} ignored: no bot for topic {topic!r}")  # @upd_no
            return
        try:
            self.send(update["chat"], bot.reply(text))
        except Exception as e:
            log.error(f"Update {update_id} failed: {e!r}")  # @upd_bad
            return
        log.info(f"Update {update_id} handled")  # @upd_ok


gateway = Gateway()
for n, (chat, text) in enumerate([(7, "help me please"), (13, "fun joke completed"), (8, "sports results"), (9, "fun explode")], 100):
    gateway.webhook({"update_id": n, "chat": chat, "text": text})
log.info(f"{gateway.sent} messages sent in total")
