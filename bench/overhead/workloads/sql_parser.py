"""A parser from PyPI: sqlglot reads warehouse queries and writes them in three other dialects."""

import sqlglot

COUNT = 60

QUERIES = (
    """SELECT c.region, date_trunc('month', o.placed_at) AS month, count(DISTINCT o.customer_id) AS customers,
              sum(l.quantity * l.unit_price * (1 - coalesce(l.discount, 0))) AS revenue
       FROM orders AS o JOIN lines AS l ON l.order_id = o.id JOIN customers AS c ON c.id = o.customer_id
       WHERE o.placed_at >= DATE '2025-01-01' AND o.placed_at < DATE '2026-01-01' AND c.status IN ('active', 'new')
       GROUP BY 1, 2 HAVING sum(l.quantity) > 10 ORDER BY revenue DESC LIMIT 100""",
    """WITH daily AS (SELECT user_id, CAST(seen_at AS DATE) AS day, count(*) AS hits FROM events GROUP BY 1, 2),
            ranked AS (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY hits DESC, day) AS place,
                              lag(hits, 1, 0) OVER (PARTITION BY user_id ORDER BY day) AS before FROM daily)
       SELECT user_id, day, hits, hits - before AS gain, CASE WHEN hits > 100 THEN 'busy' WHEN hits > 10 THEN 'some'
              ELSE 'quiet' END AS kind FROM ranked WHERE place <= 3""",
    """SELECT p.sku, p.title, s.amount, (SELECT max(price) FROM prices AS q WHERE q.sku = p.sku) AS top
       FROM products p LEFT JOIN stock s USING (sku) WHERE NOT EXISTS (SELECT 1 FROM recalls r WHERE r.sku = p.sku)
       AND (lower(p.title) LIKE '%lamp%' OR p.price BETWEEN 10 AND 20) UNION ALL
       SELECT sku, title, 0, NULL FROM archive WHERE deleted_at IS NOT NULL ORDER BY 1""",
)
DIALECTS = ("duckdb", "bigquery", "snowflake")


def run(count: int) -> int:
    checksum = 0
    for _ in range(count):
        for query in QUERIES:
            tree = sqlglot.parse_one(query, read="postgres")
            checksum += sum(len(tree.sql(dialect, pretty=True)) for dialect in DIALECTS)
    return checksum
