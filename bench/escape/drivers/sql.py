"""sqlglot: parse, optimise, transpile and compare the kind of queries that people write."""

import sqlglot
from sqlglot import diff, exp, parse_one, transpile
from sqlglot.lineage import lineage
from sqlglot.optimizer import optimize

SCHEMA = {
    "orders": {"id": "INT", "customer": "INT", "total": "DECIMAL(10, 2)", "placed": "DATE", "status": "VARCHAR"},
    "customers": {"id": "INT", "name": "VARCHAR", "country": "VARCHAR", "since": "DATE"},
    "items": {"order_id": "INT", "sku": "VARCHAR", "amount": "INT", "price": "DECIMAL(10, 2)"},
}
QUERIES = [
    "SELECT c.name, SUM(o.total) AS t FROM customers c JOIN orders o ON o.customer = c.id WHERE o.placed >= DATE '2024-01-01' GROUP BY c.name HAVING SUM(o.total) > 100 ORDER BY t DESC LIMIT 10",
    "WITH best AS (SELECT customer, MAX(total) AS m FROM orders GROUP BY customer) SELECT c.name, b.m FROM best b LEFT JOIN customers c ON c.id = b.customer",
    "SELECT name, CASE WHEN country IN ('DE', 'FR') THEN 'eu' WHEN country IS NULL THEN 'none' ELSE 'other' END AS region FROM customers",
    "SELECT id, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY placed DESC) AS n, LAG(total) OVER (ORDER BY placed) FROM orders",
    "SELECT * FROM orders WHERE customer IN (SELECT id FROM customers WHERE since < '2020-01-01') AND NOT (total < 5 OR status = 'x')",
    "SELECT sku, SUM(amount * price) FROM items GROUP BY ROLLUP (sku) UNION ALL SELECT 'all', 0 EXCEPT SELECT name, 1 FROM customers",
    "SELECT DATE_ADD(placed, INTERVAL 3 DAY), CAST(total AS TEXT), COALESCE(status, 'new') || '!' FROM orders WHERE status LIKE 'a%'",
    "SELECT o.id FROM orders o, items i WHERE o.id = i.order_id AND EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer AND c.country = 'DE')",
]
STATEMENTS = [
    "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20) NOT NULL DEFAULT 'x', c DECIMAL(10, 2), UNIQUE (b))",
    "INSERT INTO t (a, b) VALUES (1, 'one'), (2, 'two')",
    "UPDATE t SET b = UPPER(b), c = c + 1 WHERE a BETWEEN 1 AND 5",
    "DELETE FROM t WHERE a NOT IN (1, 2, 3)",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)",
    "ALTER TABLE t ADD COLUMN d TIMESTAMP",
]
DIALECTS = ["bigquery", "duckdb", "snowflake", "postgres", "mysql", "spark", "tsql", "oracle", "clickhouse", "presto"]

for query in QUERIES:
    for dialect in DIALECTS:
        transpile(query, write=dialect, pretty=True)
    tree = parse_one(query)
    optimized = optimize(tree, schema=SCHEMA, dialect="duckdb")
    optimized.sql(dialect="postgres")
    diff(tree, optimized)
    tree.transform(lambda node: exp.column("id") if isinstance(node, exp.Column) and node.name == "name" else node)
    [column.sql() for column in tree.find_all(exp.Column)]
    repr(tree)
for statement in STATEMENTS:
    for dialect in DIALECTS[:5]:
        transpile(statement, write=dialect)
for broken in ["SELECT FROM WHERE", "SELECT (1", "CREATE TABEL x", "SELECT 'a"]:
    try:
        sqlglot.parse(broken)
    except sqlglot.errors.SqlglotError:
        pass
lineage("t", QUERIES[0].replace("SUM(o.total) AS t", "o.total AS t").partition(" GROUP")[0], schema=SCHEMA)
built = exp.select("a", "b").from_("t").where("a > 1").order_by("b").limit(3)
built.join("u", on="u.a = t.a", join_type="left").sql()
print(len(QUERIES) + len(STATEMENTS))
