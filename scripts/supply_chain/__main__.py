"""Entry point of scripts/supply."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.supply_chain.bill_of_materials import check_bill, make
from scripts.supply_chain.imports import check_imports
from scripts.supply_chain.licences import check_licences
from scripts.supply_chain.locked import check_hashes
from scripts.supply_chain.secret_scan import check_secrets, write_baseline
from scripts.supply_chain.vulnerabilities import check_vulnerabilities

CHECKS: Mapping[str, tuple[Callable[[], tuple[list[str], str]], str]] = {
    "hashes": (check_hashes, "every file of every lock has a hash"),
    "licences": (check_licences, "every locked dependency has a licence of scripts/supply_chain/licences.toml"),
    "imports": (check_imports, "every declared dependency is imported, or says why not"),
    "bill": (check_bill, "a bill of materials (CycloneDX) can be made from uv.lock"),
    "vulnerabilities": (check_vulnerabilities, "pip-audit knows of none, where its database answers"),
    "secrets": (check_secrets, "detect-secrets finds none but those of .secrets.baseline"),
}


def main() -> int:
    """Ends with status 1 where a check complains."""
    given = _parser().parse_args()
    if given.write_bill:
        given.write_bill.write_text(json.dumps(make(), indent=2) + "\n")
        return 0
    if given.write_secrets:
        print(f"{write_baseline()} findings are in .secrets.baseline: look at each of them")
        return 0
    status = 0
    for name in given.checks or CHECKS:
        began = time.monotonic()
        wrong, summary = CHECKS[name][0]()
        print(f"{name} ({time.monotonic() - began:.1f} s): {f'{len(wrong)} wrong' if wrong else summary}", flush=True)
        for text in wrong:
            print(f"  {text}")
            status = 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/supply",
        description="Checks what the repository is built from: all checks, or those that are named.",
        epilog="checks: " + "; ".join(f"{name}: {text}" for name, (_, text) in CHECKS.items()),
    )
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []], metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--write-bill", type=Path, metavar="FILE", help="write the bill, and check nothing")
    parser.add_argument("--write-secrets", action="store_true", help="write .secrets.baseline, and check nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
