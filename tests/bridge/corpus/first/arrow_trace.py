"""Parses small expressions; arrows tell calls and results."""
import logging

logging.basicConfig(level=logging.DEBUG, format="%(message)s")
lg = logging.getLogger("parser")


class Parser:
    def __init__(self, text):
        self.toks = text.split()
        self.pos = 0

    def peek(self):
        return self.toks[self.pos] if self.pos < len(self.toks) else None

    def expr(self):
        lg.debug(f"-> expr(pos={self.pos})")  # @e
        value = self.term()
        while self.peek() == "+":
            self.pos += 1
            value += self.term()
        lg.debug(f"<- expr = {value}")  # @e_ret
        return value

    def term(self):
        lg.debug(f"-> term(pos={self.pos})")  # @t
        tok = self.peek()
        self.pos += 1
        if tok == "(":
            value = self.expr()
            self.pos += 1
        elif tok is None:
            raise SyntaxError("unexpected end")
        else:
            value = int(tok)
        lg.debug(f"<- term = {value}")  # @t_ret
        return value


def evaluate(text):
    lg.info(f"Evaluating expression \"{text}\"")  # @ev
    try:
        result = Parser(text).expr()
        lg.info(f"Expression evaluated to {result}")  # @ev_ok
        return result
    except SyntaxError as e:
        lg.error("Evaluation aborted", exc_info=True)  # @ev_bad
        lg.error(f"Error: {e}")
        return None


for line in ("1 + ( 2 + 3 )", "4 +"):
    evaluate(line)
lg.info("2 lines -> 1 result")
