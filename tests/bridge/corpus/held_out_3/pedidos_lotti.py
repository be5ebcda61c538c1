"""Un servicio de pedidos (español) y un proceso por lotes (italiano) en el mismo programa."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s: %(message)s")
tienda = logging.getLogger("tienda")
lotti = logging.getLogger("lotti")


def coma(segundos):
    return f"{segundos:.2f}".replace(".", ",")


class Tienda:
    def __init__(self):
        tienda.info("Servicio de pedidos iniciado en el puerto 8080")
        self.modelo = self.cargar("es-mini")
        self.conectar()

    def cargar(self, nombre):
        t0 = time.time()
        tienda.info(f"Cargando modelo {nombre}…")  # @carga
        time.sleep(0.012)
        tienda.info(f"Modelo {nombre} cargado en {coma(time.time() - t0)} s")  # @carga_ok
        return nombre

    def conectar(self):
        tienda.info("Conectando con la base de datos")  # @con
        time.sleep(0.004)
        tienda.info("Conexión establecida")  # @con_ok

    def pedido(self, numero, total):
        tienda.info(f"Procesando pedido {numero}")  # @ped
        try:
            if total > 100:
                self.cobrar(numero, total)
            tienda.info(f"Pedido {numero} procesado")  # @ped_ok
        except ValueError as e:
            tienda.error(f"Error al procesar el pedido {numero}: {e}")  # @ped_mal

    def cobrar(self, numero, total):
        tienda.info(f"Iniciando el cobro de {total} euros")  # @cob
        time.sleep(0.005)
        if total > 900:
            raise ValueError("tarjeta rechazada")
        tienda.info("Cobro finalizado")  # @cob_ok


def riga(n):
    time.sleep(0.001)
    if n == 2:
        raise ValueError("riga vuota")
    return n


def lotto(numero, righe):
    lotti.info("Avvio elaborazione del lotto %d (%d righe)", numero, righe)  # @lot
    buone = 0
    for n in range(righe):
        try:
            riga(n)
            buone += 1
        except ValueError as e:
            lotti.warning("Riga %d saltata: %s", n, e)
    if not righe:
        lotti.warning("Lotto %d vuoto, niente da fare", numero)
        return
    invia(numero, buone)
    lotti.info("Elaborazione del lotto %d completata: %d righe buone", numero, buone)  # @lot_ok


def invia(numero, buone):
    for tentativo in (1, 2):
        lotti.info("Invio del rapporto %d, tentativo %d di 2", numero, tentativo)  # @inv
        time.sleep(0.003)
        if tentativo == 1:
            lotti.warning("Invio del rapporto %d non riuscito, riprovo", numero)  # @inv_no
            continue
        lotti.info("Rapporto %d inviato", numero)  # @inv_ok


if __name__ == "__main__":
    t = Tienda()
    for numero, total in ((12, 30), (13, 950), (14, 200)):
        t.pedido(numero, total)
    lotti.info("Configurazione caricata, servizio pronto")
    lotto(3, 4)
    lotto(4, 0)
    tienda.info("Total de pedidos: 3, errores: 1, terminados: 2")
