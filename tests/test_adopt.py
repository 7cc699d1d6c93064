"""The native types' methods are called by the interpreter's specialised instructions: what core/adopt.c is for."""

from __future__ import annotations

import dis

import gomem


def loop(builder, cache, pool):
    for i in range(200):
        builder.write("x")
        builder.append("x", i)
        cache.get(1)
        pool.put(pool.get())


def test_methods_are_called_without_detours():
    loop(gomem.Builder(), gomem.LRUCache(5), gomem.Pool(list))
    called = [step.opname for step in dis.get_instructions(loop, adaptive=True) if "METHOD_DESCRIPTOR" in step.opname]
    ends = [name.partition("METHOD_DESCRIPTOR_")[2] for name in called]
    assert ends == ["O", "FAST", "FAST", "NOARGS", "O"]


def test_a_subclass_and_an_instance_still_have_them():
    class Mine(gomem.Builder):
        def write(self, text):
            return super().write(text.upper())

    mine = Mine()
    mine.write("a")
    mine.append("b")
    assert mine.build() == "Ab" and gomem.Builder.write.__objclass__ is gomem.Builder
