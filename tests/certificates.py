"""Certificates for the tests, made by the openssl command. (pytest puts this folder on the path.)"""

from __future__ import annotations

import subprocess
from pathlib import Path

_CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,digitalSignature
[leaf]
basicConstraints = CA:FALSE
subjectAltName = {names}
"""

LOCAL = "DNS:localhost,IP:127.0.0.1"


class Certificates:
    """A CA in a folder, and what it signs: for each name a certificate and a key in PEM."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "index").touch()
        (folder / "index.attr").write_text("unique_subject = no\n")
        (folder / "serial").write_text("01\n")
        config = self._config("ca", LOCAL)
        self._openssl("req", "-x509", "-config", config, *self._new("ca"), "-out", self.cert("ca"),
                      "-extensions", "authority", "-days", "2")  # fmt: skip

    def cert(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")

    def sign(self, name: str, *, names: str = LOCAL, is_expired: bool = False) -> None:
        """Makes the certificate and the key of a name."""
        config, request = self._config(name, names), str(self.folder / f"{name}.csr")
        year = "20200101000000Z", "20201231000000Z"
        time = ["-startdate", year[0], "-enddate", year[1]] if is_expired else ["-days", "1"]
        self._openssl("req", "-new", "-config", config, *self._new(name), "-out", request)
        self._openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-out", self.cert(name),
                      "-cert", self.cert("ca"), "-keyfile", self.key("ca"), "-extensions", "leaf", *time)  # fmt: skip

    def locked(self, name: str) -> str:
        """The key of a name behind a passphrase."""
        path = self.key(f"{name}-locked")
        self._openssl("pkey", "-in", self.key(name), "-aes128", "-passout", "pass:secret", "-out", path)
        return path

    def _new(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key(name)]

    def _config(self, name: str, names: str) -> str:
        path = self.folder / f"{name}.conf"
        path.write_text(_CONFIG.format(folder=self.folder, name=f"{self.folder.name} {name}", names=names))
        return str(path)

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
