SELECT DISTINCT s.item AS item_id
FROM itemmember s
WHERE s.parentitem IN (SELECT m.parentitem FROM itemmember m WHERE m.item IN ({ids}))
  AND s.item > ?
ORDER BY s.item ASC
