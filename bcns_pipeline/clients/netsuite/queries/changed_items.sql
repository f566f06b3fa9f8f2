SELECT i.id AS item_id, i.{sku} AS sku, i.itemtype AS item_type, i.matrixtype AS matrix_type,
       i.isinactive AS is_inactive, TO_CHAR(i.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at
FROM item i
WHERE i.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')
  AND i.itemtype IN ('InvtPart', 'Assembly', 'Kit', 'Group')
  AND i.id > ?
ORDER BY i.id ASC
