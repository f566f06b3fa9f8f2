SELECT t.id, t.externalid AS external_id, t.status,
       TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at
FROM transaction t
WHERE t.type = 'SalesOrd'
  AND t.status IN ('C', 'E', 'F', 'G', 'H')
  AND t.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')
  AND t.externalid LIKE ?
  AND t.id > ?
ORDER BY t.id ASC
