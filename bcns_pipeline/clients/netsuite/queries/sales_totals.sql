SELECT t.id, t.foreigntotal AS foreign_total, t.total, {currency}t.status,
       TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at,
       SUM(CASE WHEN tl.taxline = 'T' THEN tl.foreignamount ELSE 0 END) AS tax,
       SUM(CASE WHEN tl.taxline = 'T' THEN 1 ELSE 0 END) AS tax_lines,
       SUM(CASE WHEN tl.taxline = 'T' THEN 0 ELSE NVL(tl.foreignamount, 0) END) AS net,
       SUM(CASE WHEN tl.taxline = 'T' THEN 0 ELSE 1 END) AS other_lines
FROM transaction t
JOIN transactionline tl ON tl.transaction = t.id
WHERE t.id IN ({ids})
  AND tl.mainline = 'F'
  AND NVL(tl.iscogs, 'F') = 'F'
GROUP BY t.id, t.foreigntotal, t.total, {currency}t.status,
         TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')
ORDER BY t.id ASC
