"""What the process itself holds as secrets does not leave it, whatever they look like and wherever they turn up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

KEY = "otter" + "=river" + ".walks"  # of no format, and of no randomness either
GATEWAY = """
    import http.server, json, threading, logging
    import telemetry_probe

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            said = self.headers["authorization"].split(" ")[1]
            error = {"message": f"who is {said}?", "code": "no", "type": "no", "param": None}
            body = json.dumps({"error": error}).encode()
            self.send_response(401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/v1"
"""


@pytest.mark.slow
def test_a_clients_key_in_an_error_of_the_gateway(openai_agent: Run) -> None:
    ran = openai_agent(
        GATEWAY
        + f"""
    import openai
    client = openai.OpenAI(api_key="{KEY}", base_url=base, max_retries=0)
    try:
        client.chat.completions.create(model="m", messages=[{{"role": "user", "content": "hello"}}])
    except openai.AuthenticationError as error:
        assert "{KEY}" in str(error)
        logging.getLogger("agent").error("failed: %s", error)
    telemetry_probe.show()
    """
    )
    assert KEY not in ran.out
    assert any("who is [held_secret]?" in str(log["body"]) for log in ran.seen["logs"]), ran.seen["logs"]
    (call,) = [span for span in ran.seen["spans"] if span["name"].startswith("chat")]
    assert "[held_secret]" in str(call), call


def test_a_key_in_a_header_of_the_users(openai_agent: Run) -> None:
    ran = openai_agent(
        GATEWAY
        + f"""
    import openai
    headers = {{"Authorization": "Bearer {KEY}"}}
    client = openai.OpenAI(api_key="x", base_url=base, max_retries=0, default_headers=headers)
    try:
        client.chat.completions.create(model="m", messages=[{{"role": "user", "content": "hello"}}])
    except openai.AuthenticationError as error:
        assert "{KEY}" in str(error)
        logging.getLogger("agent").error("failed: %s", error)
    telemetry_probe.show()
    """
    )
    assert KEY not in ran.out


@pytest.mark.slow
def test_a_variable_that_the_program_sets_late(agent: Run) -> None:
    ran = agent(
        f"""
    import logging, os
    import telemetry_probe
    logging.getLogger("agent").error("before: {KEY}")
    telemetry_probe.show()
    """,
        ACME_SECRET=KEY,
    )
    assert KEY not in ran.out
    ran = agent(
        f"""
    import logging, os
    import telemetry_probe
    os.environ["ACME_SECRET"] = "{KEY}"
    logging.getLogger("agent").error("after: {KEY}")
    telemetry_probe.show()
    """
    )
    assert KEY not in ran.out


def test_what_is_no_secret_of_its_own_is_left_alone(agent: Run) -> None:
    ran = agent(
        """
    import logging
    import telemetry_probe
    logging.getLogger("agent").error("development in /etc/ssl/key.pem, 12345678, true")
    telemetry_probe.show()
    """,
        SECRET_KEY="development",
        DB_PASSWORD="12345678",
        SSL_KEY="/etc/ssl/key.pem",
        API_TOKEN="true",
    )
    assert ran.seen["logs"][0]["body"] == "development in /etc/ssl/key.pem, 12345678, true"
