"""What the processor says about virtualisation, from /proc/cpuinfo, as JSON. Standard library only."""

from __future__ import annotations

import json


def first_processor(text: str) -> dict[str, str]:
    """Return the fields of the first processor in the text of /proc/cpuinfo."""
    rows = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def main() -> None:
    """Print the model, whether it has VMX, and VMX's own flags."""
    with open("/proc/cpuinfo") as file:  # noqa: PTH123 (pathlib is slow to load in the appliance)
        fields = first_processor(file.read())
    found = {
        "model_name": fields.get("model name", ""),
        "vmx": "vmx" in fields.get("flags", "").split(),
        "vmx_flags": fields.get("vmx flags", "").split(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
