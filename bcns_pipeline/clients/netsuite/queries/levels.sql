SELECT i.id AS item_id, i.{sku} AS sku, i.itemtype AS item_type, NVL(ail.location, 0) AS location_id,
       {terms},
       TO_CHAR(ail.lastquantityavailablechange, 'YYYY-MM-DD HH24:MI:SS') AS changed_at
FROM item i
{join} JOIN {table} ail ON ail.item = i.id{at_locations}
WHERE i.isinactive = 'F'
  AND (i.matrixtype IS NULL OR i.matrixtype = 'CHILD')
  AND i.itemtype IN ('InvtPart', 'Assembly'){only}
  AND (i.id > ? OR (i.id = ? AND ail.location > ?))
  AND i.id < ?
ORDER BY i.id ASC, ail.location ASC
