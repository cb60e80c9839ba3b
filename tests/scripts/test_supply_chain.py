"""The checks of scripts/supply notice what they are for, and the lock and the image are what they say."""

import json
import re
from email.message import Message
from pathlib import Path

import pytest

from scripts.supply_chain.bill_of_materials import INSTALLED, complaints, make
from scripts.supply_chain.imports import complaints as unused
from scripts.supply_chain.imports import declared, imported
from scripts.supply_chain.licences import Policy, check_licences, stated_licences
from scripts.supply_chain.licences import complaints as refused
from scripts.supply_chain.locked import Package, check_hashes, files_without_hash, npm_without_hash
from scripts.supply_chain.secret_scan import new_findings, scan
from scripts.supply_chain.vulnerabilities import NoDatabase, read_answer, rounds
from tests.conftest import ROOT

POLICY = Policy(
    {"MIT": "permissive", "Apache-2.0": "permissive", "LLVM-exception": "wider"},
    {"MIT License": "MIT"},
    {"read": "MIT"},
)
# In two parts, so that this file has none.
AWS_KEY = "AKIA" + "Q3ZTU5VWXYJ7KLMN"


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [
        ("MIT", True),
        ("MIT License", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (Apache-2.0 OR GPL-3.0-only)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Apache-2.0 WITH Commons-Clause", False),
    ],
)
def test_a_licence_is_allowed_where_all_its_parts_are(stated: str, allowed: bool) -> None:
    assert POLICY.allows(stated) == allowed


def test_metadata_states_a_licence_in_three_ways() -> None:
    found = Message()
    found["License"] = "MIT License\n\nCopyright"
    assert stated_licences(found) == ["MIT License"]
    found["Classifier"] = "License :: OSI Approved :: BSD License"
    assert stated_licences(found) == ["BSD License"]
    found["License-Expression"] = "MIT"
    assert stated_licences(found) == ["MIT"]


def test_a_package_of_another_licence_or_of_none_is_told() -> None:
    assert list(refused(["read"], POLICY)) == []
    (text,) = refused(["numpy"], POLICY)
    assert text.startswith("numpy: BSD")
    (text,) = refused(["not-there"], POLICY)
    assert text.startswith("not-there is not installed")


def test_what_is_locked_has_hashes() -> None:
    assert check_hashes()[0] == []
    hashed, bare = {"url": "a.whl", "hash": "sha256:1"}, {"url": "b.whl"}
    assert list(files_without_hash([Package("a", "1", (hashed, bare)), Package("c", "2", ())])) == [
        "b.whl has no SHA-256",
        "c 2 has no file",
    ]
    lock = {"packages": {"": {}, "node_modules/a": {"version": "1"}, "node_modules/b": {"link": True}}}
    assert list(npm_without_hash(lock)) == ["node_modules/a 1 has no SHA-512"]


def test_pip_audit_is_asked_for_each_name_once_at_a_time() -> None:
    """It refuses a list with two versions of one package, as a lock has for two versions of Python."""
    one, two, other = Package("numpy", "2.4", ()), Package("numpy", "2.5", ()), Package("scipy", "1.0", ())
    assert rounds([one, two, other]) == [[one, other], [two]]


def test_what_nothing_imports_is_told() -> None:
    text = "import a.b\nfrom c.d import e\nif True:\n    import f as g, h\nimport_module('i')\nfind_spec(\"j\")\n"
    used = imported([text])
    assert {"a", "a.b", "c", "c.d", "f", "h", "j"} == used
    assert list(unused(["a", "x-y"], {"a": {"a"}, "x-y": {"xy"}}, used)) == [
        "nothing imports x-y: remove it, or say in NOT_IMPORTED of imports.py why it is declared"
    ]
    project = {"project": {"dependencies": ["A_b[c]>=1"], "optional-dependencies": {"x": ["d ; python_version < '4'"]}}}
    assert declared(project) == {"a-b", "d"}


def test_a_secret_is_found_once(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'KEY = "{AWS_KEY}"\n')
    found = scan([str(file)])
    ((name, each),) = found.items()
    assert [one["type"] for one in each] == ["AWS Access Key"]
    assert AWS_KEY not in json.dumps(found)
    assert len(list(new_findings(found, {}))) == 1
    assert list(new_findings(found, {name: each})) == []


def test_a_database_that_knows_nothing_was_not_asked() -> None:
    known = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    assert read_answer(json.dumps({"dependencies": [known, skipped]})) == ["a 1: CVE-1, mended in 2"]
    with pytest.raises(NoDatabase):
        read_answer(json.dumps({"dependencies": [skipped]}))


def test_the_bill_is_of_what_the_image_installs() -> None:
    (installed,) = re.findall(r"^RUN uv sync (.*?)(?: \$\{RAY:.*)?$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert [one for one in installed.split() if one not in ("--locked", "--no-editable")] == list(INSTALLED)
    made = make()
    assert complaints(made) == []
    names = {one["name"] for one in made["components"]}
    assert {"numpy", "grpcio", "uvicorn", "absfinance-api"} <= names
    assert not {"pytest", "ruff", "ray", "vectorbt"} & names


def test_a_bill_that_leaves_something_out_is_told() -> None:
    made = {
        "bomFormat": "CycloneDX",
        "components": [{"name": "a", "version": "1"}, {"name": "b", "purl": "pkg:pypi/b"}],
    }
    assert complaints(made) == ["a has no version or address", "b has no version or address"]


def test_licences_of_the_lock_are_allowed() -> None:
    assert [text for text in check_licences()[0] if "is not installed" not in text] == []
