"""String building: split, translate, format, join and encode log lines; strings of many sizes, few other objects."""

COUNT = 110
LINES = [f"2026-11-{i % 28 + 1:02d} host{i % 13} service[{i}]: user={i * 7919 % 1000} path=/a/b/{i % 300} took {i % 950}ms" for i in range(3000)]


def turn(number: int) -> int:
    counts: dict[str, int] = {}
    out = []
    for line in LINES:
        date, host, service, *rest = line.split(" ")
        fields = dict(part.split("=", 1) for part in rest if "=" in part)
        key = f"{host.upper()}:{fields['path'].replace('/', '.')}"
        counts[key] = counts.get(key, 0) + number
        out.append(f"{date:>12}|{key:<20}|{service[:-1]}|{fields['user']:0>6}")
    page = "\n".join(out)
    return len(page.encode("utf-8")) + len(page.lower()) + len(counts)


def run(count: int) -> int:
    return sum(turn(number) for number in range(count))
