"""A sensor station that logs like a serial console; a helper with levels as letters."""
import logging
import sys
import time

_L = {"D": logging.DEBUG, "I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR}
_lg = logging.getLogger("stn")
_lg.setLevel(logging.INFO)
_lg.addHandler(logging.StreamHandler(sys.stdout))


def p(lv, txt, *a):
    _lg.log(_L[lv], txt, *a, stacklevel=2)


def init(dev):
    p("I", "init %s", dev)  # @init
    time.sleep(0.003)
    if dev == "lcd":
        p("E", "init %s err: no ack", dev)  # @init_bad
        return 1
    p("I", "init %s ok", dev)  # @init_ok
    return 0


def rd(sens):
    p("I", "rd %s", sens)  # @rd
    time.sleep(0.002)
    if sens == "hum":
        p("W", "rd %s crc err, reuse last val", sens)  # @rd_bad
        return 41
    p("I", "rd %s = %d", sens, 21)  # @rd_ok
    return 21


def xfer(f, size):
    p("I", "xfer beg f=%s sz=%d", f, size)  # @xf
    for off in range(0, size, 256):
        time.sleep(0.001)
        p("D", "xfer blk off=%d", off)
    if f.startswith("old"):
        p("E", "xfer end f=%s rc=5", f)  # @xf_bad
        return 5
    p("I", "xfer end f=%s rc=0", f)  # @xf_ok
    return 0


def gc():
    t0 = time.perf_counter()
    time.sleep(0.003)
    p("I", "gc took %.1fms, 3 blk freed", (time.perf_counter() - t0) * 1e3)  # @gc


def cmd(n, op, *args):
    p("I", "req %d: %s", n, op)  # @req
    try:
        val = {"rd": rd, "xfer": xfer}[op](*args)
    except KeyError as e:
        p("E", "req %d: bad op %s", n, e)  # @req_bad
        return
    p("I", "rsp %d: %s", n, val)  # @req_ok


def main():
    p("I", "## stn fw 1.4 boot, rst cause: wdog")
    p("I", "cfg ld ok, 4 keys")
    for dev in ("gpio", "i2c", "lcd"):
        init(dev)
    p("I", "up, bat 87%, ivl 30s")
    cmd(1, "rd", "tmp")
    cmd(2, "rd", "hum")
    p("I", "wdog kick")
    gc()
    cmd(3, "xfer", "log.a", 600)
    cmd(4, "fly")
    cmd(5, "xfer", "old.b", 300)
    p("I", "stat rx=5 tx=5 err=2 done=3")
    p("I", "slp 30s")


main()
