"""Handed to a task: it lives until the task is done, whoever waits for it. The counterpart of Go's ``go`` statement."""

import asyncio


async def work(items):
    return len(items)  # want "len(items) returned"


async def spawned(n):
    asyncio.create_task(work([n]))  # want "asyncio.create_task(work([n])) frame" "work([n]) task" "[n] task"


async def awaited(n):
    return await work([n])  # want "work([n]) frame" "[n] frame"


async def grouped(n):
    async with asyncio.TaskGroup() as group:  # want "asyncio.TaskGroup() frame"
        group.create_task(work({n}))  # want "group.create_task(work({n})) frame" "work({n}) task" "{n} task"
