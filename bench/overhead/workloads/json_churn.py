"""JSON churn: documents are read, changed and written again; nearly all work is making and dropping small objects."""

import json

COUNT = 600


def document(seed: int) -> dict[str, object]:
    return {
        "id": seed,
        "name": f"customer {seed}",
        "tags": [f"tag{(seed * 7 + i) % 97}" for i in range(8)],
        "orders": [{"sku": f"S{i:05d}", "price": i * 1.25 + seed, "count": i % 5, "note": None} for i in range(20)],
        "address": {"street": "Long Road 1", "city": "Übersee", "open": True},
    }


TEXT = json.dumps([document(seed) for seed in range(40)])


def run(count: int) -> int:
    checksum = 0
    for turn in range(count):
        documents = json.loads(TEXT)
        for entry in documents:
            entry["turn"] = turn
            entry["total"] = sum(order["price"] * order["count"] for order in entry["orders"])
        checksum += len(json.dumps(documents))
    return checksum
