SELECT t.id, t.tranid AS tran_id, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date, ml.createdfrom AS made_from,
       src.createdfrom AS source_from, tl.id AS line_id, i.{sku} AS sku, tl.quantity, tl.isclosed AS closed
FROM transaction t
JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'
LEFT JOIN transactionline src ON src.transaction = ml.createdfrom AND src.mainline = 'T'
JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F' AND tl.taxline = 'F'
JOIN item i ON i.id = tl.item
WHERE {where}
  AND NVL(tl.iscogs, 'F') = 'F'
  AND NVL(tl.kitcomponent, 'F') = 'F'
  AND (t.id > ? OR (t.id = ? AND tl.id > ?))
ORDER BY t.id ASC, tl.id ASC
