SELECT i.id AS item_id, i.averagecost AS average_cost, i.cost AS cost
FROM item i
WHERE i.id IN ({items})
  AND i.id > ?
ORDER BY i.id ASC
