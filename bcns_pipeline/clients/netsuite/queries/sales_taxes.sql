SELECT td.transaction, td.{by} AS part, SUM(td.taxamount) AS amount
FROM transactiontaxdetail td
WHERE td.transaction IN ({ids})
  AND (td.transaction > ? OR (td.transaction = ? AND td.{by} > ?))
GROUP BY td.transaction, td.{by}
ORDER BY td.transaction ASC, td.{by} ASC
