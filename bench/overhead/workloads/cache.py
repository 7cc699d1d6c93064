"""A cache that grows without bound to some 200 MB at scale 1: nothing is freed, every sample stays live."""

COUNT = 250_000


class Entry:
    def __init__(self, key: str, number: int) -> None:
        self.key = key
        self.body = bytes(200 + number % 300)
        self.tags = [number, str(number), key[:4]]


def run(count: int) -> int:
    cache: dict[str, Entry] = {}
    for number in range(count):
        key = f"user:{number * 7919 % 1_000_003}"
        if key not in cache:
            cache[key] = Entry(key, number)
    return len(cache) + sum(len(entry.body) for entry in cache.values())
