"""Certificates of tests."""

import subprocess
from pathlib import Path


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """Files of a certificate that is its own authority, and of its key."""
    paths = str(folder / f"{name}.crt"), str(folder / f"{name}.key")
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*new, *names, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths
