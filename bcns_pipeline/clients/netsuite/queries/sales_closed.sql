SELECT tl.transaction, COUNT(tl.id) AS closed
FROM transactionline tl
WHERE tl.transaction IN ({ids})
  AND tl.mainline = 'F'
  AND tl.isclosed = 'T'
GROUP BY tl.transaction
ORDER BY tl.transaction ASC
