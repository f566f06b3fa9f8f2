SELECT i.id, i.{sku} AS sku, i.itemtype AS item_type, i.matrixtype AS matrix_type,
       {subsidiary}i.isinactive AS is_inactive
FROM item i
WHERE ({where})
  AND i.id > ?
ORDER BY i.id ASC
