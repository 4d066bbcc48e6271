"""`python -m integrations.sandbox --port 8001`: bind, migrate its own database file, serve until stopped."""

import argparse
import fcntl
import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any, NoReturn

from integrations.sandbox.exchange.server import Handler, SandboxServer


def main() -> int:
    options = _options()
    if not _is_loopback(options.host):
        return _refuse(f"The sandbox listens on this machine only; {options.host} is not a loopback address.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "integrations.sandbox.settings"
    os.environ["SANDBOX_TIME_SCALE"] = str(options.time_scale)
    if options.database:
        os.environ["SANDBOX_DATABASE"] = str(Path(options.database).resolve())
    try:
        server = SandboxServer((options.host, options.port), Handler)
    except OSError as error:
        return _refuse(
            f"The sandbox cannot listen on {options.host}:{options.port}: {error.strerror}. "
            "Stop what uses that port or choose another with SANDBOX_PORT (or --port)."
        )
    lock = _own_database()
    if lock is None:
        return 2
    _prepare(server)
    # A failure below is a bug and may show its traceback; the lock and the socket end with the process.
    _serve_until_told(server, options.time_scale)
    lock.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox", description="A local stand-in for Pinterest and Xero.")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on (0: any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--database", help="SQLite file (default: .local/sandbox.sqlite3)")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="divide all waiting times by this")
    return parser.parse_args()


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be greater than 0")
    return number


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 2


def _own_database() -> IO[str] | None:
    """Lock the database file: two sandboxes on one file would each hold half of the state in memory."""
    from django.conf import settings

    path = Path(settings.DATABASES["default"]["NAME"])
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _refuse(f"Another sandbox uses the database {path}. Stop it or choose another file with --database.")
        return None
    return lock


def _prepare(server: SandboxServer) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from integrations.sandbox.controls import seed
    from integrations.sandbox.exchange import fault_dial
    from integrations.sandbox.webhooks import changes, courier

    call_command("migrate", verbosity=0)
    seed.plant_if_empty()
    fault_dial.load()
    changes.load()
    courier.start()
    server.application = get_wsgi_application()
    server.clock_offset = lambda: fault_dial.current().clock_offset_seconds


def _serve_until_told(server: SandboxServer, time_scale: float) -> None:
    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    host, port = server.server_name, server.server_port
    sys.stdout.write(f"Sandbox ready at http://{host}:{port} (time scale {time_scale:g}).\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.2)
    server.server_close()


def _exit(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that hold a socket open must not delay the exit


if __name__ == "__main__":
    _exit(main())
