"""Every method of the contract has a role, and the page says which."""

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from scripts import role_table
from server.identity.roles import ROLES, require_role
from server.ports.errors import RoleRequired
from server.ports.identity import LOCAL, Principal, Role
from tests.fuzzing.contract import ENDS_THE_SERVER, methods


def test_every_method_of_the_contract_is_in_the_table() -> None:
    ending = {f"/absfinance.v1.AdminService/{name}" for name in ENDS_THE_SERVER}
    paths = {method.path for method in methods()} | ending
    assert set(ROLES) == paths


def test_the_page_shows_the_table() -> None:
    shown = role_table.MARKS.findall(role_table.PAGE.read_text())
    assert shown == [role_table.table()]


@pytest.mark.parametrize("path", ROLES)
@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_those_before_it_may(path: str, role: Role) -> None:
    if role >= ROLES[path]:
        require_role(Principal("users/x", role, "user"), path)
    else:
        with pytest.raises(RoleRequired) as raised:
            require_role(Principal("users/x", role, "user"), path)
        assert raised.value.metadata == {
            "method": path.rpartition(".")[2], "required": ROLES[path].label, "role": role.label
        }  # fmt: skip


def test_a_method_that_is_in_no_table_is_an_admins() -> None:
    require_role(LOCAL, "/absfinance.v1.NewService/New")
    with pytest.raises(RoleRequired):
        require_role(Principal("users/x", Role.TRADER, "user"), "/absfinance.v1.NewService/New")


def test_readers_change_nothing() -> None:
    """By the contract: whatever a reader may call has no side effects."""
    for path, role in ROLES.items():
        method = descriptor_pool.Default().FindMethodByName(path.strip("/").replace("/", "."))
        level = method.GetOptions().idempotency_level
        assert role is not Role.READER or level == MethodOptions.NO_SIDE_EFFECTS, path
