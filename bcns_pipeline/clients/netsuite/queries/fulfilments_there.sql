SELECT f.id
FROM transaction f
WHERE f.type = 'ItemShip'
  AND f.id IN ({ids})
  AND f.id > ?
ORDER BY f.id ASC
