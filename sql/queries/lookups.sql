-- name: find
-- The rows under some keys, two of each at most; the braces are filled in by composition. The planner decides
-- between the index and the whole table.
SELECT
    f.orgstream_n,
    f.taken::text
FROM (
    SELECT
        r.orgstream_n,
        json_build_array({taken}) AS taken,
        row_number() OVER (PARTITION BY r.orgstream_n) AS place
    FROM json_to_recordset(%(keys)s::json) AS r (orgstream_n integer, {defined})
    INNER JOIN {table} AS t ON {same}
) AS f
WHERE f.place <= 2;
