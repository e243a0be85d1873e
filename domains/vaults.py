"""What ansible-vault has encrypted in an inventory: opened, so that it can be kept out of every log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from domains.errors import UsageError

# How ansible-inventory writes a value that is encrypted on its own.
_ENCRYPTED = "__ansible_vault"


def opened(listed: Mapping[str, Any], password_file: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what an inventory lists with each encrypted value opened, and these values.

    ``password_file`` holds the password, or is a program that prints it, as for Ansible itself. Raises
    :class:`UsageError` where it is another one.
    """
    if not _holds_any(listed):
        return dict(listed), ()
    decrypt = _decrypter(password_file)
    found: dict[str, str] = {}

    def open_one(text: str) -> str:
        if text not in found:
            found[text] = decrypt(text)
        return found[text]

    said = _walked(dict(listed), open_one)
    return said, tuple(found.values())


def _holds_any(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _ENCRYPTED in value or any(map(_holds_any, value.values()))
    return isinstance(value, list) and any(map(_holds_any, value))


def _walked(value: Any, open_one: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        if list(value) == [_ENCRYPTED]:
            return open_one(value[_ENCRYPTED])
        return {key: _walked(inner, open_one) for key, inner in value.items()}
    return [_walked(inner, open_one) for inner in value] if isinstance(value, list) else value


def _decrypter(password_file: Path) -> Callable[[str], str]:
    # Ansible takes half a second to import: only where something is encrypted.
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.vault import VaultLib, get_file_vault_secret

    secret = get_file_vault_secret(filename=str(password_file), loader=DataLoader())
    try:
        secret.load()
        library = VaultLib([("default", secret)])
    except AnsibleError as why:
        raise UsageError(f"{password_file}: {why}") from why

    def decrypt(text: str) -> str:
        try:
            said: bytes = library.decrypt(text)
        except AnsibleError as why:
            raise UsageError(
                "what is encrypted in the inventory cannot be opened",
                remedy=f"{password_file} holds another password",
            ) from why
        return said.decode()

    return decrypt
