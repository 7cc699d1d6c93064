"""Code objects that die under the frame that ran them: on 3.11 the frame is still the newest one while its code is
being torn down, and a weakref callback on the code allocates at that moment."""

import weakref

import gomem

gomem.start(rate=1)
seen = []


def on_death(reference):
    seen.append([bytes(50) for _ in range(10)])


def run(i):
    space = {}
    exec(compile(f"def made_{i}():\n    return [bytes({i} + 100)]\n", f"<made {i}>", "exec"), space)
    references.append(weakref.ref(space[f"made_{i}"].__code__, on_death))
    return space.pop(f"made_{i}")


references = []
for i in range(2000):
    run(i)()
gomem.stop()
profile = gomem.heap_profile()
assert len(seen) == 2000, len(seen)
assert all(f.filename != "" or f.name.startswith("[") for f in profile.functions)
print("fine")
