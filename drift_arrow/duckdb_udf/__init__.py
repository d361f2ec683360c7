"""DuckDB table functions over collections: `drift_search` and `drift_scan`.

    SELECT * FROM drift_search('./data/docs', $q, k := 10, filter := 'lang = ''en''', exact := false)
    SELECT * FROM drift_scan('./data/docs')

With DuckDB >= 2.0, importing this package gives both to every database that the process opens afterwards; `register`
gives them to a database that is open already, and works with every DuckDB >= 1.4.
"""

from __future__ import annotations

from drift_arrow.duckdb_udf.registration import register

__all__ = ["register"]
