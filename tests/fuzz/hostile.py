"""Values, keys and blocks of YAML that break what trusts its input."""

VALUES = (
    "null", "5", "-1", "0", "[]", "{}", "[1, x]", "{a: b}", "{per: null}", "{per: {digits: 5}}",
    "{per: {else: x}}", "{per: {per: {else: 1}}}", "x", "true", "''", "[[x]]", "{method: x}",
    "{method: [x]}", "{method: digits, size: 10}", "{sweep: {x: []}}", "{network: x}", "8", "8/255",
    "9/0", "99999999999999/1", "9" * 400 + "/1", "9" * 100_000, "1e400", "-1e400", ".nan", ".inf",
    "-.inf", "1e-320", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "[18446744073709551616]", "0x" + "f" * 6000, "1_0", "0o17", "1:30", "2026-01-01", "~", "yes",
    "*nowhere", "&a [*a]", "!!python/name:os.system x", "!!binary aGk=", "!x y", "<<: *x",
    "$\\frac{$", "'$\\frac{'", '"\\\\input{x}"', '"\\u202e"', '"\\x1b[2J"', '"\\ud800"',
    '"a\\nb"', "'=1+1'", "'../../x'", "'a b'", "'$(touch x)'", "'x;touch y;'", "'{seed}'",
    "'{'", "x" * 300, "y" * 100_000, "'\uff41'", "None", "'007'", "'1'", "clean", "attacks", "all",
    "[a, a]", "[1, 2, 3, 4, 5]", "{x: 1, y: 2}", "'**'", "|\n  x\n  y", ">-\n  x",
)  # fmt: skip
KEYS = (
    "", "7", "007", "null", "true", "~", "1.5", ".nan", "2026-01-01", "clean", "per", "else",
    "method", "sweep", "network", "extends", "name", "attacks", "__class__", "model_config", "[a]",
    "[a, b]", "{a: b}", "? [a]", "<<", "x" * 300, "ab" * 20, "'a b'", "'../x'", "'x;touch y;'",
    "'$(x)'", "'{seed}'", "'x\\ny'", '"\\x07"', '"\\u202e"', "é", "A", "LeNet5", "Digits",
    "figure-$", "table-1", "collected", "selection", "*nowhere", "&a a", "!x y",
)  # fmt: skip
SIGNS = "{}[]:,'\"&*!|>%@`#?-\t\x01\x85\u2028\ufeff\u202eé \n"
LAUGHS = "laughs0: &l0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"laughs{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
BLOCKS = (
    LAUGHS,
    "inside: &inside {a: [*inside]}\n",
    "deep: " + "[" * 3000 + "]" * 3000 + "\n",
    "deep: " + "{a: " * 2000 + "\n",
    "".join(" " * n + "a:\n" for n in range(200)),
    "merged: &m {a: 1}\nagain:\n  <<: [*m, *m, *m]\n",
    "merged: &m {<<: *m}\n",
    "? [a, b]\n: 1\n",
    "? {a: b}\n: 1\n",
    "- a\n",
    "---\nname: other\n",
    "%YAML 1.1\n---\n",
    "...\n",
    "extends: ../params.yaml\n",
    "extends: .\n",
    "extends: /dev/zero\n",
    "extends: mutated.yaml\n",
    "extends: [a]\n",
    "extends: {a: b}\n",
    "name: " + "'" + "x" * 1_100_000 + "'\n",
)  # fmt: skip
BYTES = (b"\xff", b"\xfe\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\x07", b"\x1b[2J", b"\xf4\x90")
