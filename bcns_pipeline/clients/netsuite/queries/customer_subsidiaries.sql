SELECT r.entity, r.subsidiary
FROM customersubsidiaryrelationship r
WHERE r.entity IN ({ids})
  AND (r.entity > ? OR (r.entity = ? AND r.subsidiary > ?))
ORDER BY r.entity ASC, r.subsidiary ASC
