SELECT i.id AS item_id, i.{sku} AS sku, i.itemtype AS item_type,
       {terms}
FROM item i
WHERE i.isinactive = 'F'
  AND (i.matrixtype IS NULL OR i.matrixtype = 'CHILD')
  AND i.itemtype IN ('InvtPart', 'Assembly'){only}
  AND i.id > ?
  AND i.id < ?
ORDER BY i.id ASC
