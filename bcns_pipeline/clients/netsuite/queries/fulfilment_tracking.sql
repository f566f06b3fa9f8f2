SELECT m.transaction, n.id AS number_id, n.trackingnumber AS tracking
FROM trackingnumbermap m
JOIN trackingnumber n ON n.id = m.trackingnumber
WHERE m.transaction IN ({ids})
  AND (m.transaction > ? OR (m.transaction = ? AND n.id > ?))
ORDER BY m.transaction ASC, n.id ASC
