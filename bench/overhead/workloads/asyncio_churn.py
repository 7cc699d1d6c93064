"""asyncio: thousands of short tasks that pass messages through queues; coroutines, futures, handles, contexts."""

import asyncio

COUNT = 130
TASKS = 1000


async def worker(inbox: asyncio.Queue[int], outbox: asyncio.Queue[int]) -> None:
    number = await inbox.get()
    await asyncio.sleep(0)
    await outbox.put(number * 2)


async def turn() -> int:
    inbox: asyncio.Queue[int] = asyncio.Queue()
    outbox: asyncio.Queue[int] = asyncio.Queue()
    tasks = [asyncio.create_task(worker(inbox, outbox)) for _ in range(TASKS)]
    for number in range(TASKS):
        inbox.put_nowait(number)
    await asyncio.gather(*tasks)
    return sum(outbox.get_nowait() for _ in range(TASKS))


async def turns(count: int) -> int:
    return sum([await turn() for _ in range(count)])


def run(count: int) -> int:
    return asyncio.run(turns(count))
