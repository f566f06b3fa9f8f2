SELECT DISTINCT c.item AS item_id
FROM {table} c
WHERE {c_locations}c.lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')
  AND c.item > ?
ORDER BY c.item ASC
