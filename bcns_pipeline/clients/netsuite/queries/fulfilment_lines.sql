SELECT tl.transaction, tl.id AS line_id, tl.item, tl.quantity, tl.location, tl.kitcomponent AS kit_component,
       tl.kitmemberof AS kit_member_of
FROM transactionline tl
WHERE tl.transaction IN ({ids})
  AND tl.mainline = 'F'
  AND tl.taxline = 'F'
  AND NVL(tl.iscogs, 'F') = 'F'
  AND tl.item IS NOT NULL
  AND (tl.transaction > ? OR (tl.transaction = ? AND tl.id > ?))
ORDER BY tl.transaction ASC, tl.id ASC
