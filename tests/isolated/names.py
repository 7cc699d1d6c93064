"""Names outside ASCII, lone surrogates, very long names, and stacks deeper than are kept."""

import gomem
from reading import by_leaf, rows


def größe_を_测():
    return bytes(10_000)


def call(code, name):
    space = {"kept": kept}
    exec(compile(code, name, "exec"), space)


def dive(n):
    return bytes(30_000) if n == 0 else dive(n - 1)


kept = []
long_name = "very_long_" * 400
gomem.start(rate=1)
kept.append(größe_を_测())
call(f"def {long_name}():\n kept.append(bytes(20_000))\n{long_name}()", "<lone \udc80 surrogate 𝄞>")
kept.append(dive(500))
gomem.stop()
profile = gomem.heap_profile()
sums = by_leaf(profile, "inuse_space")
assert sums["größe_を_测"] == 10_033, sums
assert sums[long_name[:1024]] == 20_033, [name[:30] for name in sums]
assert any(f.filename == "<lone \ufffd surrogate 𝄞>" for f in profile.functions)
deep = [row for row in rows(profile, "inuse_space") if row.frames[0][0] == "dive" and row.value >= 30_000]
assert len(deep) == 1 and len(deep[0].frames) == 128, [len(row.frames) for row in deep]
assert deep[0].frames[-1][0] == "[stack cut]" and deep[0].frames[126][0] == "dive"
gomem.start(rate=1, depth=1)
kept.append(dive(3))
gomem.stop()
row = max(rows(gomem.heap_profile(), "inuse_space"))
assert [name for name, _ in row.frames] == ["dive", "[stack cut]"], row
encoded = profile.to_bytes()
assert "größe_を_测".encode() in encoded
print("fine")
