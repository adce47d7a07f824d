"""Every corruption at a severity in the middle, as contracts hold distortions to their promises."""

from robustinfo.distortions._severities import ALL, entry

CORRUPTIONS = {name: entry(name, 3, 32) for name in ALL} | {
    "fog by name": {"method": "corruption", "name": "fog", "severity": 2}
}
