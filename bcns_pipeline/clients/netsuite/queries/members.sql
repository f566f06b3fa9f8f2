SELECT m.parentitem AS parent_id, p.{sku} AS parent_sku, p.itemtype AS parent_type,
       m.item AS item_id, c.itemtype AS member_type, c.isinactive AS member_inactive,
       SUM(m.quantity) AS quantity
FROM itemmember m
JOIN item p ON p.id = m.parentitem
JOIN item c ON c.id = m.item
WHERE p.isinactive = 'F'
  AND p.itemtype IN ('Kit', 'Group')
  AND c.itemtype IN ('InvtPart', 'Assembly', 'Kit', 'Group'){only}
  AND (m.parentitem > ? OR (m.parentitem = ? AND m.item > ?))
GROUP BY m.parentitem, p.{sku}, p.itemtype, m.item, c.itemtype, c.isinactive
ORDER BY m.parentitem ASC, m.item ASC
